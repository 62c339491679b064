{{/* The kinds that the operator makes for a ModelDeployment: what it may write, what the fence and the no-adoption rule cover. */}}
{{- define "slipway.childKinds" -}}
- apiGroups: [""]
  resources: [services, serviceaccounts]
- apiGroups: [apps]
  resources: [deployments]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
{{- end }}
