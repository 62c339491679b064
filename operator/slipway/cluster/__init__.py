"""The only package that speaks to Kubernetes."""
