{{/* Whether the release has a store of its own for the ledger. */}}
{{- define "slipway.ledgerEmbedded" -}}
{{- if and .Values.ledger.enabled .Values.ledger.embedded.enabled }}true{{ end -}}
{{- end }}

{{/* The Secret with which the operator writes the ledger. */}}
{{- define "slipway.ledgerSecret" -}}
{{- .Values.ledger.s3.existingSecret | default "slipway-ledger" -}}
{{- end }}

{{/* The Secret with which auditors read it; empty when none is named for a bucket of one's own. */}}
{{- define "slipway.ledgerReaderSecret" -}}
{{- .Values.ledger.s3.readerSecret | default (ternary "slipway-ledger-reader" "" .Values.ledger.embedded.enabled) -}}
{{- end }}

{{/* The Secret with the key that signs checkpoints. */}}
{{- define "slipway.ledgerKeySecret" -}}
{{- .Values.ledger.signingKeySecret | default "slipway-ledger-key" -}}
{{- end }}

{{- define "slipway.ledgerUri" -}}
{{- $s3 := .Values.ledger.s3 -}}
s3://{{ $s3.bucket | default .Values.ledger.embedded.bucket }}{{ with $s3.prefix }}/{{ . }}{{ end }}
{{- end }}

{{/*
Whether this run of Helm can look things up. helm template, and Argo CD with it, cannot: to them every Secret looks missing, and one
generated there would be another at each run. Helm keeps its releases in Secrets, so it may list them.
*/}}
{{- define "slipway.seesCluster" -}}
{{- if lookup "v1" "Secret" .Release.Namespace "" }}true{{ end -}}
{{- end }}

{{/* Where checkpoints are kept outside the ledger's own store, for SLIPWAY_LEDGER_ANCHORS: as ledger/places.py reads it. */}}
{{- define "slipway.ledgerAnchors" -}}
{{- $secrets := "/var/run/secrets/slipway" -}}
{{- $anchors := list -}}
{{- with .Values.ledger.anchors }}
{{- if .bucket.uri }}
{{- $anchors = append $anchors (dict "bucket" .bucket.uri "secret" (printf "%s/ledger-anchor-bucket" $secrets)) -}}
{{- end }}
{{- if .webhook.url }}
{{- $token := ternary (printf "%s/ledger-anchor-webhook/token" $secrets) "" (ne .webhook.existingSecret "") -}}
{{- $anchors = append $anchors (dict "webhook" .webhook.url "token" $token) -}}
{{- end }}
{{- if .file.claimName }}
{{- $anchors = append $anchors (dict "file" "/var/lib/slipway/ledger-anchor/checkpoint") -}}
{{- end }}
{{- end }}
{{- $anchors | toJson -}}
{{- end }}

{{/* What the operator is told of the ledger. */}}
{{- define "slipway.ledgerEnv" -}}
{{- with .Values.ledger -}}
- name: SLIPWAY_LEDGER_URI
  value: {{ include "slipway.ledgerUri" $ | quote }}
- name: SLIPWAY_LEDGER_SECRET
  value: /var/run/secrets/slipway/ledger
- name: SLIPWAY_LEDGER_KEY
  value: /var/run/secrets/slipway/ledger-key/seed
- name: SLIPWAY_LEDGER_ANCHORS
  value: {{ include "slipway.ledgerAnchors" $ | quote }}
{{- with .s3.endpoint }}
- name: SLIPWAY_LEDGER_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .s3.region }}
- name: SLIPWAY_LEDGER_REGION
  value: {{ . | quote }}
{{- end }}
{{- if .s3.caBundle }}
- name: SLIPWAY_LEDGER_CA_BUNDLE
  value: /etc/slipway/ledger/ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- define "slipway.ledgerMounts" -}}
{{- with .Values.ledger -}}
- {name: ledger, mountPath: /var/run/secrets/slipway/ledger, readOnly: true}
- {name: ledger-key, mountPath: /var/run/secrets/slipway/ledger-key, readOnly: true}
{{- if .s3.caBundle }}
- {name: ledger-ca, mountPath: /etc/slipway/ledger, readOnly: true}
{{- end }}
{{- if .anchors.bucket.uri }}
- {name: ledger-anchor-bucket, mountPath: /var/run/secrets/slipway/ledger-anchor-bucket, readOnly: true}
{{- end }}
{{- if and .anchors.webhook.url .anchors.webhook.existingSecret }}
- {name: ledger-anchor-webhook, mountPath: /var/run/secrets/slipway/ledger-anchor-webhook, readOnly: true}
{{- end }}
{{- if .anchors.file.claimName }}
- {name: ledger-anchor-file, mountPath: /var/lib/slipway/ledger-anchor}
{{- end }}
{{- end }}
{{- end }}

{{- define "slipway.ledgerVolumes" -}}
{{- with .Values.ledger -}}
- name: ledger
  secret: {secretName: {{ include "slipway.ledgerSecret" $ }}}
- name: ledger-key
  secret: {secretName: {{ include "slipway.ledgerKeySecret" $ }}}
{{- if .s3.caBundle }}
- name: ledger-ca
  configMap:
    name: slipway-ledger
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- if .anchors.bucket.uri }}
- name: ledger-anchor-bucket
  secret: {secretName: {{ required "ledger.anchors.bucket.uri needs ledger.anchors.bucket.existingSecret" .anchors.bucket.existingSecret }}}
{{- end }}
{{- if and .anchors.webhook.url .anchors.webhook.existingSecret }}
- name: ledger-anchor-webhook
  secret: {secretName: {{ .anchors.webhook.existingSecret }}}
{{- end }}
{{- with .anchors.file.claimName }}
- name: ledger-anchor-file
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- end }}
{{- end }}
