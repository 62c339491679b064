{{/* The labels of an object. Call with (dict "root" $ "name" "slipway-operator"). */}}
{{- define "slipway.labels" -}}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{ include "slipway.selectorLabels" . }}
app.kubernetes.io/part-of: slipway
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "slipway.selectorLabels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Of a pod: nothing that moves with the chart's version, so that an upgrade restarts only what changed. */}}
{{- define "slipway.podLabels" -}}
{{ include "slipway.selectorLabels" . }}
app.kubernetes.io/part-of: slipway
{{- end }}

{{/*
A cluster-scoped name: the plain one in slipway-system, else with the namespace, so that releases of two namespaces do not meet.
Names inside a namespace are fixed: one release a namespace. Call with (dict "root" $ "name" "slipway-leader-fence").
*/}}
{{- define "slipway.clusterName" -}}
{{- $namespace := .root.Release.Namespace -}}
{{- .name }}{{ if ne $namespace "slipway-system" }}-{{ $namespace }}{{ end }}
{{- end }}

{{- define "slipway.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:slipway-operator
{{- end }}

{{/* An image reference with imageRegistry before it unless it names a registry. Call with (dict "root" $ "image" "a/b:1"). */}}
{{- define "slipway.qualified" -}}
{{- $registry := .root.Values.imageRegistry -}}
{{- $parts := splitList "/" .image -}}
{{- $named := and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) -}}
{{- if and $registry (not $named) }}{{ $registry }}/{{ end }}{{ .image }}
{{- end }}

{{/* The reference of an image given as repository, tag, digest. Call with (dict "root" $ "image" .Values.image). */}}
{{- define "slipway.image" -}}
{{- $repository := include "slipway.qualified" (dict "root" .root "image" .image.repository) -}}
{{- if .image.digest }}{{ $repository }}@{{ .image.digest }}
{{- else }}{{ $repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* What SLIPWAY_RUNTIME_IMAGES holds. */}}
{{- define "slipway.runtimeImages" -}}
{{- $images := list -}}
{{- range .Values.runtimes -}}
{{- $image := include "slipway.qualified" (dict "root" $ "image" .image) -}}
{{- $images = append $images (dict "format" .format "version" .version "image" $image) -}}
{{- end -}}
{{- $images | toJson -}}
{{- end }}

{{/* The Secret that opens the artifact store; empty when an external bucket needs none. */}}
{{- define "slipway.storeSecret" -}}
{{- .Values.objectStore.existingSecret | default (ternary "slipway-object-store" "" .Values.objectStore.embedded.enabled) -}}
{{- end }}

{{/* Pod Security "restricted". */}}
{{- define "slipway.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "slipway.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
