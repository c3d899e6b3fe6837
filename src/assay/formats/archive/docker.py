"""The ``manifest.json`` of a docker archive: a list of images, by the names of archive members.

Its form is that of the Docker image specification v1.2, "Combined Image JSON + Filesystem
Changeset Format". It has no digests of its own: a configuration is named by its digest, and claims
its layers by the digests of their plain content.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.model.codes import archive as codes
from assay.model.codes import content as content_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.selection import Selection, same_name

MANIFEST = "manifest.json"

_CONFIG_NAME = re.compile(r"(?:.*/)?(?:sha256:)?([0-9a-f]{64})(?:\.json)?\Z", re.DOTALL)
_BLOB_NAME = re.compile(r"(?:\./)*blobs/(sha\d+)/([0-9a-f]+)\Z")


class DockerImage(Struct, frozen=True):
    """One image, as ``manifest.json`` describes it. Nothing in it is believed."""

    position: int
    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """For people."""
        return self.names[0] if self.names else f"image {self.position}"


def parse_manifest(data: bytes) -> list[DockerImage]:
    """The images of a ``manifest.json``.

    Raises AssayError: malformed, ambiguous-key, limit-exceeded, not-an-image,
    duplicate-reference.
    """
    value = strict_json.parse(data, MANIFEST)
    if not isinstance(value, list):
        raise _malformed("the top is not a list")
    if not value:
        raise AssayError(Finding.of(codes.NOT_AN_IMAGE, MANIFEST, "it lists no image"))
    if len(value) > limits.INDEX_ENTRIES:
        raise AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                MANIFEST,
                f"{len(value)} images",
                expected=f"at most {limits.INDEX_ENTRIES}",
            )
        )
    images = [_image(position, entry) for position, entry in enumerate(value)]
    _check_names(images)
    return images


def _image(position: int, entry: Any) -> DockerImage:
    where = f"[{position}]"
    if not isinstance(entry, dict):
        raise _malformed(f"{where} is not an object")
    strict_json.check_keys(entry, ("Config", "Layers", "RepoTags"), where)
    config = entry.get("Config")
    if not isinstance(config, str) or not config:
        raise _malformed(f"{where}.Config is not a name")
    layers = _names(entry.get("Layers"), f"{where}.Layers")
    if len(layers) > limits.LAYERS:
        raise AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                MANIFEST,
                f"{where} has {len(layers)} layers",
                expected=f"at most {limits.LAYERS}",
            )
        )
    return DockerImage(position, config, layers, _names(entry.get("RepoTags"), f"{where}.RepoTags"))


def _names(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise _malformed(f"{where} is not a list of names")
    return tuple(value)


def _check_names(images: list[DockerImage]) -> None:
    seen: dict[str, DockerImage] = {}
    for image in images:
        for name in image.names:
            first = seen.setdefault(name, image)
            if (first.config, first.layers) != (image.config, image.layers):
                raise AssayError(
                    Finding.of(
                        codes.DUPLICATE_REFERENCE,
                        MANIFEST,
                        f"{name[:200]!r} stands for the images {first.position} and"
                        f" {image.position}",
                        expected="one image of each name",
                    )
                )


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(content_codes.MALFORMED, MANIFEST, detail))


def choose(images: list[DockerImage], selection: Selection) -> list[DockerImage]:
    """The images that are meant. By a digest, these are all whose configuration has it in its
    name, or else all there are. Raises AssayError (not-found)."""
    if selection.digest is not None:
        return [image for image in images if config_claim(image) == selection.digest] or images
    if selection.position is not None:
        found = [image for image in images if image.position == selection.position]
    elif selection.name:
        found = [image for image in images if selection.name in image.names] or [
            image
            for image in images
            if any(same_name(selection.name, name) for name in image.names)
        ]
    else:
        return images
    if not found:
        raise AssayError(
            Finding.of(
                content_codes.NOT_FOUND,
                MANIFEST,
                f"the archive has no image {str(selection).removeprefix(':')!r}",
                expected=str(selection).removeprefix(":"),
                actual=", ".join(image.shown for image in images[:20]),
            )
        )
    return found


def config_claim(image: DockerImage) -> Digest | None:
    """The digest that the configuration's file name states."""
    match = _CONFIG_NAME.match(image.config)
    return Digest("sha256", bytes.fromhex(match[1])) if match else blob_claim(image.config)


def blob_claim(name: str) -> Digest | None:
    """The digest that the place of a blob in an OCI layout states."""
    match = _BLOB_NAME.match(name)
    if match is None:
        return None
    try:
        return Digest.parse(f"{match[1]}:{match[2]}")
    except ValueError:
        return None
