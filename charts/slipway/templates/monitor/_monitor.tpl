{{/* Whether monitors run: they read the prediction log. */}}
{{- define "slipway.monitors" -}}
{{- if and .Values.monitoring.enabled .Values.predictionLog.enabled }}true{{ end -}}
{{- end }}

{{/* What the operator is told of the pods of monitors: settings.Monitoring in JSON. */}}
{{- define "slipway.monitoring" -}}
{{- with .Values.monitoring -}}
{{- $pull := list -}}
{{- range $.Values.imagePullSecrets }}{{ $pull = append $pull .name }}{{ end -}}
{{- $secrets := dict -}}
{{- range $name, $notifier := .notifiers -}}
{{- with $notifier.existingSecret }}{{ $_ := set $secrets $name . }}{{ end -}}
{{- end -}}
{{- $placement := dict -}}
{{- range list "nodeSelector" "tolerations" "priorityClassName" -}}
{{- $value := index $.Values.monitoring . -}}
{{- if $value }}{{ $_ := set $placement . $value }}{{ end -}}
{{- end -}}
{{- $told := dict
  "image" (include "slipway.image" (dict "root" $ "image" .image))
  "pull_policy" .image.pullPolicy
  "pull_secrets" $pull
  "log_secret" (include "slipway.logSecret" $)
  "log_ca" (ternary "slipway-predictions" "" (not (empty $.Values.predictionLog.caBundle)))
  "store_secret" (include "slipway.storeSecret" $)
  "notifier_secrets" $secrets
  "labels" (include "slipway.podLabels" (dict "root" $ "name" "slipway-monitor") | fromYaml)
  "resources" .resources
  "placement" $placement
  "deadline_seconds" .deadlineSeconds -}}
{{- $told | toJson -}}
{{- end -}}
{{- end }}

{{/* What a run may do in a namespace that it monitors. */}}
{{- define "slipway.monitorRules" -}}
- apiGroups: [slipway.dev]
  resources: [modelmonitors, modeldeployments, modelversions, models]
  verbs: [get]
- apiGroups: [slipway.dev]
  # Only status.run: see the policy slipway-status.
  resources: [modelmonitors/status]
  verbs: [patch]
{{- end }}

{{- define "slipway.monitorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:slipway-monitor
{{- end }}
