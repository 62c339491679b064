{{/* Whether the operator governs: where it serves all namespaces. Roles in some namespaces cannot protect a namespace's label. */}}
{{- define "slipway.governs" -}}
{{- if and .Values.governance.enabled (not .Values.watchNamespaces) }}true{{ end -}}
{{- end }}

{{/* Whether this release has the policies that approvals rest on. */}}
{{- define "slipway.guards" -}}
{{- if and (include "slipway.governs" .) .Values.admission.enabled }}true{{ end -}}
{{- end }}

{{/* The policies that approvals rest on, for the operator to miss one that is gone. */}}
{{- define "slipway.guardNames" -}}
{{- $names := list -}}
{{- range list "approvals" "deletion" "endpoints" "namespaces" "owned" "requested-by" "status" "subresources" "tokens" "workloads" -}}
{{- $names = append $names (include "slipway.clusterName" (dict "root" $ "name" (printf "slipway-%s" .))) -}}
{{- end -}}
{{- if include "slipway.governs" . }}{{ join "," $names }}{{ end -}}
{{- end }}

{{/*
Head and binding of a policy that approvals rest on. Call with (dict "root" $ "name" "slipway-approvals"). By the label the operator
finds them all, to notice a change (docs/access.md).
*/}}
{{- define "slipway.guardMetadata" -}}
metadata:
  name: {{ include "slipway.clusterName" . }}
  labels:
    {{- include "slipway.labels" (dict "root" .root "name" "slipway-operator") | nindent 4 }}
    slipway.dev/guard: "true"
{{- end }}

{{- define "slipway.guard" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
{{ include "slipway.guardMetadata" . }}
{{- end }}

{{- define "slipway.guardBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
{{ include "slipway.guardMetadata" . }}
spec:
  policyName: {{ include "slipway.clusterName" . }}
  validationActions: [Deny]
{{- end }}

{{/* The namespaces that have a stage. */}}
{{- define "slipway.staged" -}}
namespaceSelector:
  matchExpressions:
    - {key: slipway.dev/stage, operator: Exists}
{{- end }}

{{/*
A CEL list of users: controllers of Kubernetes by name, and others as they are. Call with (dict "controllers" (list "deployment-controller")
"others" (list "alice")). A controller manager without a service account for each controller acts as system:kube-controller-manager.
*/}}
{{- define "slipway.users" -}}
{{- $users := list "system:kube-controller-manager" -}}
{{- range .controllers }}{{ $users = append $users (printf "system:serviceaccount:kube-system:%s" .) }}{{ end -}}
{{- concat $users (.others | default list) | toJson | replace "\"" "'" -}}
{{- end }}

{{/* Those who clean up. */}}
{{- define "slipway.cleaners" -}}
{{- include "slipway.users" (dict "controllers" (list "generic-garbage-collector" "namespace-controller")) -}}
{{- end }}

{{/*
What others may do with an object that Slipway or a controller made of a ModelDeployment: annotate it, report its status. The garbage
collector also takes owners away (orphans), and what has no owner any more anybody may delete.
*/}}
{{- define "slipway.ownedVariables" -}}
- name: labels
  expression: object.metadata.?labels.orValue({})
- name: oldLabels
  expression: oldObject.metadata.?labels.orValue({})
- name: notes
  expression: object.metadata.?annotations.orValue({})
- name: oldNotes
  expression: oldObject.metadata.?annotations.orValue({})
- name: cleans
  expression: request.userInfo.username in {{ include "slipway.cleaners" . }}
- name: sameNotes
  expression: >-
    variables.notes == variables.oldNotes
    || (variables.notes.all(key, !key.startsWith('slipway.dev/') || variables.oldNotes[?key] == optional.of(variables.notes[key]))
    && variables.oldNotes.all(key, !key.startsWith('slipway.dev/') || key in variables.notes))
- name: same
  expression: >-
    object.?spec == oldObject.?spec && object.?revision == oldObject.?revision
    && object.?automountServiceAccountToken == oldObject.?automountServiceAccountToken
    && variables.labels == variables.oldLabels && variables.sameNotes
    && (variables.cleans || object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences)
# Not request.name: one request may delete a whole collection.
- name: name
  expression: oldObject.metadata.name
- name: deployment
  expression: >-
    oldObject == null ? variables.labels[?'slipway.dev/deployment'].orValue('')
    : variables.oldLabels[?'slipway.dev/deployment'].orValue(object == null ? '' : variables.labels[?'slipway.dev/deployment'].orValue(''))
{{- end }}

{{- define "slipway.ownedValidations" -}}
- expression: request.operation != 'CREATE'
  reason: Forbidden
  message: "slipway: the label slipway.dev/deployment is for what Slipway makes: leave it out, also of a pod template"
  messageExpression: >-
    'slipway: ' + request.userInfo.username + ' may not create ' + request.resource.resource
    + ' with the label slipway.dev/deployment, which is for what Slipway makes: leave it out, also of a pod template'
- expression: request.operation != 'UPDATE' || variables.same
  reason: Forbidden
  message: "slipway: this belongs to a ModelDeployment: change that instead"
  messageExpression: >-
    'slipway: ' + request.userInfo.username + ' may not change ' + request.resource.resource + '/' + variables.name
    + (variables.deployment == '' ? '' : ', which belongs to ModelDeployment ' + variables.deployment) + ': change the ModelDeployment instead'
- expression: >-
    request.operation != 'DELETE' || variables.cleans || size(oldObject.metadata.?ownerReferences.orValue([])) == 0
  reason: Forbidden
  message: "slipway: this belongs to a ModelDeployment, and goes with it"
  messageExpression: >-
    'slipway: ' + request.userInfo.username + ' may not delete ' + request.resource.resource + '/' + variables.name
    + (variables.deployment == '' ? '' : ', which belongs to ModelDeployment ' + variables.deployment) + ': it goes with the ModelDeployment'
{{- end }}

{{/* How many groups a ModelApproval can hold: MAX_GROUPS of api/v1alpha1/model_approval.py. */}}
{{- define "slipway.groupsLimit" -}}
512
{{- end }}
