"""Simple signing: signatures over a small document that names an image's digest, and the name that
it was signed for (containers-signature(5)). podman, skopeo and CRI-O make and read them."""
