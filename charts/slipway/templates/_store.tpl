{{/*
An embedded S3 server with one volume and two doors: port 9000 writes, port 9002 reads with credentials of its own. Call with (dict "root" $
"name" "slipway-ledger" "values" .Values.ledger.embedded "secret" … "readerSecret" … "writer" "slipway-operator" "kept" "why").
*/}}
{{- define "slipway.embeddedStore" -}}
{{- $store := . }}
{{- $root := .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "slipway.labels" $store | nindent 4 }}
spec:
  replicas: 1
  revisionHistoryLimit: 3
  # One volume, one writer.
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "slipway.selectorLabels" $store | nindent 6 }}
  template:
    metadata:
      labels: {{- include "slipway.podLabels" $store | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: writer
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "slipway.podSecurityContext" $root | nindent 8 }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        {{- $writer := dict "name" "writer" "port" 9000 "secret" $store.secret "readOnly" false }}
        {{- $reader := dict "name" "reader" "port" 9002 "secret" $store.readerSecret "readOnly" true }}
        {{- range list $writer $reader }}
        - name: {{ .name }}
          image: {{ include "slipway.image" (dict "root" $root "image" $store.values.image) }}
          imagePullPolicy: {{ $store.values.image.pullPolicy }}
          env:
            - name: BUCKETS
              value: {{ $store.values.bucket | quote }}
            - name: PORT
              value: {{ .port | quote }}
            - name: VGW_READ_ONLY
              value: {{ .readOnly | quote }}
            {{- $secret := .secret }}
            {{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
            - name: {{ . }}
              valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ . }}}}
            {{- end }}
          ports:
            - {name: {{ .name }}, containerPort: {{ .port }}}
          startupProbe:
            tcpSocket: {port: {{ .name }}}
            periodSeconds: 2
            failureThreshold: 30
          livenessProbe:
            tcpSocket: {port: {{ .name }}}
            periodSeconds: 10
          readinessProbe:
            tcpSocket: {port: {{ .name }}}
            periodSeconds: 5
          resources: {{- toYaml $store.values.resources | nindent 12 }}
          securityContext: {{- include "slipway.containerSecurityContext" $root | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: /data, readOnly: {{ .readOnly }}}
            - {name: tmp, mountPath: /tmp}
        {{- end }}
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: {{ .name }}}
        - name: tmp
          emptyDir: {}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "slipway.labels" $store | nindent 4 }}
spec:
  selector: {{- include "slipway.selectorLabels" $store | nindent 4 }}
  ports:
    - {name: writer, port: 9000, targetPort: writer}
    - {name: reader, port: 9002, targetPort: reader}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "slipway.labels" $store | nindent 4 }}
  annotations:
    # {{ .kept }}
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.storage.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.storage.size }}
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "slipway.labels" $store | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "slipway.selectorLabels" $store | nindent 6 }}
  # {{ .writer }}{{ with .alsoWrites }} and {{ . }}{{ end }} may write; who has the reader's credentials reads; it calls nobody.
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {{- include "slipway.selectorLabels" (dict "root" $root "name" .writer) | nindent 14 }}
        {{- with .alsoWrites }}
        - podSelector:
            matchLabels: {{- include "slipway.selectorLabels" (dict "root" $root "name" .) | nindent 14 }}
        {{- end }}
      ports:
        - {protocol: TCP, port: writer}
    - ports:
        - {protocol: TCP, port: reader}
{{- end }}
{{- end }}

{{/*
The credentials of such a store, generated once: what is there already is rendered as it is. Call with (dict "root" $ "name"
"slipway-ledger" "ports" (dict "SECRET" "PORT")). Only where Helm sees a cluster: elsewhere they would be others at each run.
*/}}
{{- define "slipway.storeSecrets" -}}
{{- $store := . }}
{{- $namespace := .root.Release.Namespace }}
{{- range $name, $port := .ports }}
{{- $data := (lookup "v1" "Secret" $namespace $name).data | default dict }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
  labels: {{- include "slipway.labels" (dict "root" $store.root "name" $store.name) | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
data:
  AWS_ACCESS_KEY_ID: {{ get $data "AWS_ACCESS_KEY_ID" | default (randAlphaNum 20 | b64enc) }}
  AWS_SECRET_ACCESS_KEY: {{ get $data "AWS_SECRET_ACCESS_KEY" | default (randAlphaNum 40 | b64enc) }}
  AWS_ENDPOINT_URL: {{ printf "http://%s.%s.svc:%s" $store.name $namespace $port | b64enc }}
  AWS_REGION: {{ b64enc "us-east-1" }}
---
{{- end }}
{{- end }}
