{{/* What the operator may do in a namespace it serves. Not here on purpose: Secrets, RoleBindings, tokens, exec. */}}
{{- define "slipway.operatorRules" -}}
- apiGroups: [slipway.dev]
  resources: [models, modelversions, modeldeployments]
  verbs: [get, list, watch]
- apiGroups: [slipway.dev]
  resources: [models/status, modelversions/status, modeldeployments/status]
  verbs: [get, patch]
# Owner references that block deletion ask for this where OwnerReferencesPermissionEnforcement is on (OpenShift).
- apiGroups: [slipway.dev]
  resources: [modeldeployments/finalizers]
  verbs: [update]
{{- range include "slipway.childKinds" . | fromYamlArray }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
