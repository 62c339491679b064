"""Who may approve, deploy, override and change the policies, by Kubernetes' RBAC; and what of it is dangerous."""
