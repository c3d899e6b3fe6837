"""Compares the two descriptions that an archive can have: as a docker archive, and as a layout.

Programs differ in which one they load, so both have to describe the same images.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.formats.archive.docker import DockerImage
from assay.formats.archive.engine import Parts
from assay.formats.archive.layout import LayoutImage, Spans
from assay.model.codes import archive as codes
from assay.model.finding import Finding
from assay.model.selection import same_name, tag_of
from assay.sources.tar import TarMember


class Pair(Struct):
    """An image in both descriptions, with the components of its manifest, its configuration and
    its layers."""

    docker: DockerImage
    layout: LayoutImage
    manifest: str
    config: str
    layers: list[str]


def pair_up(
    described: Sequence[tuple[DockerImage, Parts]], images: Sequence[LayoutImage]
) -> tuple[list[Pair], list[Finding]]:
    """The images of one description with those of the other, and where the two disagree."""
    pairs: list[Pair] = []
    findings: list[Finding] = []
    for image, parts in described:
        found = [pair for layout in images if (pair := _pair(image, parts, layout)) is not None]
        pairs += found
        if not found:
            findings.append(
                _disagreement(f"manifest.json describes {image.shown!a}, and index.json does not")
            )
    for layout in images:
        if not any(pair.layout is layout for pair in pairs):
            findings.append(
                _disagreement(f"index.json describes {layout.shown!a}, and manifest.json does not")
            )
    for layout in images:
        mine = [pair.docker for pair in pairs if pair.layout is layout]
        if mine:
            findings += _compare_names(mine, layout)
    return pairs, findings


def _pair(image: DockerImage, parts: Parts, layout: LayoutImage) -> Pair | None:
    if parts.config is None:
        return None
    places = [_place(layer) for layer in parts.layers]
    for manifest in layout.manifests():
        if (manifest.config_spans, manifest.layers) == (_place(parts.config), places):
            prefix = manifest.config.removesuffix("config")
            layers = [f"{prefix}layer[{number}]" for number in range(len(places))]
            return Pair(image, layout, manifest.component, manifest.config, layers)
    return None


def _place(member: TarMember | None) -> Spans:
    return (member.data,) if member is not None and member.size else ()


def _disagreement(detail: str) -> Finding:
    return Finding.of(
        codes.ARCHIVE_VIEWS_DISAGREE,
        detail=detail[:300],
        expected="the same configuration and the same layers in both",
    )


def _compare_names(described: Sequence[DockerImage], layout: LayoutImage) -> list[Finding]:
    """Each name in one document has to be one in the other."""
    tags = [name for image in described for name in image.names]
    names = [entry.names for entry in layout.entries if entry.names]
    if all(any(_same(name, tag) for tag in tags for name in group) for group in names) and all(
        any(_same(name, tag) for group in names for name in group) for tag in tags
    ):
        return []
    return [
        Finding.of(
            codes.ARCHIVE_NAMES_DISAGREE,
            detail=f"the image {layout.digest} has different names",
            expected=f"in manifest.json: {', '.join(tags) or 'none'}"[:300],
            actual=f"in index.json: {', '.join(group[0] for group in names) or 'none'}"[:300],
        )
    ]


def _same(name: str, tag: str) -> bool:
    """Whether an annotation, which may be a mere tag, and a full name mean the same."""
    return same_name(name, tag) or (":" not in name and "/" not in name and name == tag_of(tag))
