"""Small blobs, kept as they are: manifests, configurations, signatures, statements.

Each is hashed again when it is taken out, so that what is kept can be no other bytes than those
that the digest names, whoever wrote them there.
"""

from __future__ import annotations

import hmac

from assay import limits
from assay.kept.store import FactStore
from assay.measure.hashing import hash_bytes
from assay.model.digest import Digest


def kept_content(store: FactStore | None, digest: Digest) -> bytes | None:
    """The bytes with this digest, where they are kept."""
    if store is None or not digest.binding:
        return None
    found = store.get(_name(digest))
    return found if found is not None and _is(found, digest) else None


def keep_content(store: FactStore | None, digest: Digest, content: bytes) -> None:
    """Keep bytes that have this digest; others, and large ones, are not kept."""
    if store is None or not digest.binding or len(content) > limits.KEPT_CONTENT:
        return
    if _is(content, digest):
        store.put(_name(digest), content)


def _is(content: bytes, digest: Digest) -> bool:
    return hmac.compare_digest(hash_bytes(digest.algorithm, content), digest.value)


def _name(digest: Digest) -> str:
    return f"content {digest}"
