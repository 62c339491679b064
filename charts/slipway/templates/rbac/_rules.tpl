{{/* What the operator may do in a namespace it serves. Not here on purpose: Secrets, RoleBindings, tokens, exec. */}}
{{- define "slipway.operatorRules" -}}
- apiGroups: [slipway.dev]
  resources: [models, modelversions, modeldeployments]
  verbs: [get, list, watch]
- apiGroups: [slipway.dev]
  resources: [models/status, modelversions/status, modeldeployments/status]
  verbs: [update]
{{- range include "slipway.childKinds" . | fromYamlArray }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: [get, list, watch, create, patch]
{{- end }}
# The others go with their owner, by garbage collection.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, create, patch]
{{- end }}
