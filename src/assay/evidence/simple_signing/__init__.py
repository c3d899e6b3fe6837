"""Simple signing: signatures over a small document that names an image's digest, and the name that
it was signed for (containers-signature(5)). podman, skopeo and CRI-O make and read them."""

SIGSTORE = b"\0sigstore-json\n"
"""What an attachment of Sigstore's begins with."""


def may_be_one(data: bytes) -> bool:
    """Whether a file may be such a signature: an attachment, or an OpenPGP message in binary."""
    return data.startswith(SIGSTORE) or data[:1] >= b"\x80"
