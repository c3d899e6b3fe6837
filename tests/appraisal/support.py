"""Cases made of literals."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from assay.appraisal.case import BuiltInRule, Case
from assay.model.anchor import Anchor
from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.component import Component, Derived, Stored
from assay.model.digest import Digest
from assay.model.measurement import Facts, HashRequest

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def sha256(data: bytes) -> Digest:
    return Digest("sha256", hashlib.sha256(data).digest())


def case(**changes: Any) -> Case:
    """An empty case of a file called ``file``."""
    values: dict[str, Any] = {
        "image": "file",
        "resolved": "file",
        "format": "raw",
        "root": "file",
        "targets": ("file",),
        "components": {},
        "claims": [],
        "anchors": [],
        "vouchers": [],
        "outcomes": [],
        "findings": [],
        "not_checked": [],
        "facts": Facts(sizes={}, answers={}, faults={}),
        "at": NOW,
        "rule": BuiltInRule(),
        "tool": "test",
    }
    return Case(**(values | changes))


def put(made: Case, component: Component, data: bytes) -> None:
    """Add a component and what measuring these bytes gives."""
    made.components[component.id] = component
    made.facts.sizes[component.id] = len(data)
    for algorithm in ("sha256", "md5"):
        made.facts.answers[component.id, HashRequest(algorithm)] = hashlib.new(
            algorithm, data
        ).digest()


def stored(name: str, kind: str = "blob", **more: Any) -> Component:
    return Component(name, kind, Stored(more.pop("blob", name)), **more)


def says(origin: str, subject: str, data: bytes) -> list[Claim]:
    """``origin`` claims the digest and size of these bytes about ``subject``."""
    return [
        Claim(subject, origin, DigestIs(sha256(data)), "digest"),
        Claim(subject, origin, SizeIs(len(data)), "size"),
    ]


def image(*, layer: bytes = b"layer", root_digest: bytes = b"manifest") -> Case:
    """A manifest that claims a layer, with a digest anchor for the manifest."""
    made = case(root="manifest", targets=("manifest",))
    put(made, stored("manifest"), b"manifest")
    put(made, stored("layer"), layer)
    put(made, Component("layer/content", "tar", Derived("layer", "gzip")), b"content")
    made.claims += says("manifest", "layer", b"layer")
    made.claims += says("manifest", "layer/content", b"content")
    made.anchors.append(Anchor("digest:1", "digest", "a digest"))
    made.claims.append(Claim("manifest", "digest:1", DigestIs(sha256(root_digest)), "given"))
    return made
