{{/* What the operator may do in a namespace it serves. Not here on purpose: Secrets, RoleBindings, tokens, exec. */}}
{{- define "slipway.operatorRules" -}}
- apiGroups: [slipway.dev]
  resources: [models, modelversions, modeldeployments, modelmonitors]
  verbs: [get, list, watch]
- apiGroups: [slipway.dev]
  resources: [models/status, modelversions/status, modeldeployments/status, modelmonitors/status]
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

{{/* What it may do beside, where it governs. */}}
{{- define "slipway.governanceRules" -}}
{{- if include "slipway.governs" . -}}
- apiGroups: [slipway.dev]
  resources: [approvalpolicies]
  verbs: [get, list, watch]
# It creates one for show: a forged one, which must be refused.
- apiGroups: [slipway.dev]
  resources: [modelapprovals]
  verbs: [get, list, watch, create, delete]
- apiGroups: [slipway.dev]
  resources: [modelapprovals/status]
  verbs: [update]
# Their stages.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
# The approved revisions.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, watch, create, delete]
# Whether who approved still may.
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
# Whether the policies that approvals rest on are as they were.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
  verbs: [list]
{{- end }}
{{- end }}

{{/* What everybody may read who has to do with models. */}}
{{- define "slipway.viewerRules" -}}
- apiGroups: [slipway.dev]
  resources: [models, modelversions, modeldeployments, modeldeployments/scale, modelmonitors, modelapprovals, approvalpolicies]
  verbs: [get, list, watch]
{{- end }}

{{/* For those who have one role alone, what kubectl slipway status and diff ask for. */}}
{{- define "slipway.readerRules" -}}
{{ include "slipway.viewerRules" . }}
{{- range include "slipway.childKinds" . | fromYamlArray }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: [get, list, watch]
{{- end }}
- apiGroups: [apps]
  resources: [replicasets, controllerrevisions]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods, pods/log, events]
  verbs: [get, list, watch]
{{- end }}

{{/* And scale, and predict. */}}
{{- define "slipway.deployerRules" -}}
{{ include "slipway.readerRules" . }}
- apiGroups: [slipway.dev]
  resources: [modeldeployments/scale]
  verbs: [get, update, patch]
- apiGroups: [""]
  resources: [services/proxy]
  verbs: [get, create]
{{- end }}
