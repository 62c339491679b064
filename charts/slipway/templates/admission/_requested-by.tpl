{{/*
The stamp of who asked, as the CEL variables that the filling and the guaranteeing policy share:
slipway.dev/requested-by: {"generation":7,"by":["alice","bob"],"unseen":true}

`by`: everyone who changed the spec since the operator had last caught up with it, in order. `unseen`: somebody else did too, who left no
name (through /scale, or before there were stamps). `generation`: the one that the stamp was written for. A newer one in metadata is a
change that left no name either.

A stamp is one canonical string, so that it can be compared whole. Inside a name " and \ are escaped; so `,"` can only be where a name
begins, and looking for `,"name",` finds whole names only.
*/}}
{{- define "slipway.stampVariables" -}}
- name: now
  expression: object.metadata.?annotations[?'slipway.dev/requested-by'].orValue('')
- name: before
  expression: >-
    oldObject == null ? '' : oldObject.metadata.?annotations[?'slipway.dev/requested-by'].orValue('')
- name: changed
  expression: oldObject == null || object.?spec != oldObject.?spec
- name: generation
  expression: >-
    oldObject == null ? 0 : oldObject.metadata.generation
- name: observed
  expression: >-
    oldObject == null ? 0 : oldObject.?status.?observedGeneration.orValue(-1)
# Anything else there (nothing, or what somebody wrote while the policies were off) names nobody.
- name: stamped
  expression: >-
    size(variables.before) <= {{ include "slipway.stampLimit" . }} && variables.before.matches(
    '^\\{"generation":[1-9][0-9]{0,17},"by":\\[("([^"\\\\]|\\\\["\\\\])*"(,"([^"\\\\]|\\\\["\\\\])*")*)?\\](,"unseen":true)?\\}$')
- name: stampedFor
  expression: "variables.stamped ? int(variables.before.substring(14, variables.before.indexOf(','))) : -1"
- name: caughtUp
  expression: variables.observed == variables.generation
# Asked in the order of cost: the pattern is looked at only if somebody asked whom the operator has not seen.
- name: kept
  expression: >-
    !variables.caughtUp && variables.stamped && variables.observed < variables.stampedFor
    ? variables.before.substring(variables.before.indexOf('[') + 1, variables.before.lastIndexOf(']')) : ''
- name: unseen
  expression: >-
    !variables.caughtUp
    && (variables.stampedFor != variables.generation || variables.before.endsWith(',"unseen":true}'))
- name: me
  expression: >-
    '"' + request.userInfo.username.replace('\\', '\\\\').replace('"', '\\"') + '"'
- name: by
  expression: >-
    variables.kept == '' ? variables.me
    : (',' + variables.kept + ',').contains(',' + variables.me + ',') ? variables.kept
    : variables.kept + ',' + variables.me
- name: due
  expression: >-
    !variables.changed ? variables.before
    : '{"generation":' + string(variables.generation + 1) + ',"by":[' + variables.by + ']'
    + (variables.unseen ? ',"unseen":true' : '') + '}'
{{- end }}

{{/* Neither the spec nor the stamp nor the author changes: nothing to fill in, and nothing to judge. */}}
{{- define "slipway.stampConditions" -}}
- name: changes-the-spec-or-who-asked
  expression: >-
    oldObject == null || object.?spec != oldObject.?spec
    || object.metadata.?annotations[?'slipway.dev/requested-by'] != oldObject.metadata.?annotations[?'slipway.dev/requested-by']
    || object.metadata.?annotations[?'slipway.dev/author'] != oldObject.metadata.?annotations[?'slipway.dev/author']
{{- end }}

{{/* Characters. Room for some hundred people between two looks of the operator; and CEL reads it at bounded cost. */}}
{{- define "slipway.stampLimit" -}}
16384
{{- end }}

{{/* Which objects carry a stamp: those of the namespaces that this release serves. */}}
{{- define "slipway.stampConstraints" -}}
{{- with .Values.watchNamespaces }}
namespaceSelector:
  matchExpressions:
    - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
{{- end }}
resourceRules:
  - apiGroups: [slipway.dev]
    apiVersions: ["*"]
    resources: [models, modelversions, modeldeployments, modelmonitors]
    operations: [CREATE, UPDATE]
{{- end }}

{{/*
The API version under which MutatingAdmissionPolicy is rendered, or nothing. A Helm that sees a cluster lists its kinds; without one
(helm template) only the version of Kubernetes speaks.
*/}}
{{- define "slipway.mutatingVersion" -}}
{{- $group := "admissionregistration.k8s.io" -}}
{{- $served := .Capabilities.APIVersions -}}
{{- $stable := semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version -}}
{{- $wanted := toString .Values.admission.mutating -}}
{{- if eq $wanted "true" -}}
{{ $group }}/{{ ternary "v1" "v1beta1" $stable }}
{{- else if eq $wanted "auto" -}}
{{- if $served.Has (printf "%s/v1/ValidatingAdmissionPolicy" $group) -}}
{{- range list "v1beta1" "v1" -}}
{{- if $served.Has (printf "%s/%s/MutatingAdmissionPolicy" $group .) -}}
{{- $wanted = printf "%s/%s" $group . -}}
{{- end -}}
{{- end -}}
{{- ternary "" $wanted (eq $wanted "auto") -}}
{{- else if $stable -}}
{{ $group }}/v1
{{- end -}}
{{- end -}}
{{- end }}
