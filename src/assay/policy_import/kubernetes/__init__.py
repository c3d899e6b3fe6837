"""Policies for Kubernetes clusters, of policy-controller and Kyverno, as YAML or JSON."""
