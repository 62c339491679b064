{{/* Whether the release has a store of its own for the prediction log. */}}
{{- define "slipway.logEmbedded" -}}
{{- if and .Values.predictionLog.enabled .Values.predictionLog.embedded.enabled }}true{{ end -}}
{{- end }}

{{/* The Secret with which the collector writes the log. */}}
{{- define "slipway.logSecret" -}}
{{- .Values.predictionLog.existingSecret | default "slipway-predictions" -}}
{{- end }}

{{/* The Secret with which people's own tools read it; empty when none is named for a bucket of one's own. */}}
{{- define "slipway.logReaderSecret" -}}
{{- .Values.predictionLog.readerSecret | default (ternary "slipway-predictions-reader" "" .Values.predictionLog.embedded.enabled) -}}
{{- end }}

{{- define "slipway.logUri" -}}
{{- .Values.predictionLog.uri | default (printf "s3://%s" .Values.predictionLog.embedded.bucket) -}}
{{- end }}

{{- define "slipway.collectorUrl" -}}
http://slipway-collector.{{ .Release.Namespace }}.svc:8080
{{- end }}

{{/* What the collector is told. */}}
{{- define "slipway.collectorEnv" -}}
{{- with .Values.predictionLog -}}
- name: SLIPWAY_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: SLIPWAY_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: SLIPWAY_HTTP_PORT
  value: "8080"
- name: SLIPWAY_LOG_LEVEL
  value: {{ $.Values.logLevel }}
- name: SLIPWAY_LOG_URI
  value: {{ include "slipway.logUri" $ | quote }}
- name: SLIPWAY_LOG_SECRET
  value: /var/run/secrets/slipway/predictions
- name: SLIPWAY_LOG_RETENTION_DAYS
  value: {{ .retentionDays | quote }}
{{- with .endpoint }}
- name: SLIPWAY_LOG_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .region }}
- name: SLIPWAY_LOG_REGION
  value: {{ . | quote }}
{{- end }}
{{- if .caBundle }}
- name: SLIPWAY_LOG_CA_BUNDLE
  value: /etc/slipway/predictions/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{/* What the collector may do in a namespace whose models write the log. */}}
{{- define "slipway.collectorRules" -}}
- apiGroups: [slipway.dev]
  # The types of columns, and that a deployment is there.
  resources: [models, modeldeployments]
  verbs: [get]
- apiGroups: [""]
  # That rows were erased, and how often.
  resources: [events]
  verbs: [create, get, patch]
{{- end }}

{{/* And in the whole cluster: who a caller is, and what that caller may. */}}
{{- define "slipway.collectorReviewRules" -}}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end }}
