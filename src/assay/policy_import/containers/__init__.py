"""containers-policy.json(5): the trust policy of podman, skopeo, CRI-O and buildah."""
