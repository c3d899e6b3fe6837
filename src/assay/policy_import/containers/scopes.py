"""Which scope of a policy an image is in: the most specific one alone counts (containers-policy.
json(5), "Supported transports and their scopes")."""

from __future__ import annotations

import os

from msgspec import Struct

from assay.sources.open import transport_of
from assay.sources.registry.names import name_in_registry, scopes_of
from assay.sources.registry.reference import Reference
from assay.sources.selecting import split_selection


class Place(Struct, frozen=True):
    """Where an image is, as a policy sees it. ``scopes`` go from the most specific to the least;
    ``reference`` is its name in a registry, if it has one. An image that no transport of the
    policy knows (a plain file) has an empty ``transport``."""

    transport: str
    scopes: tuple[str, ...]
    reference: Reference | None = None


def place_of(image: str) -> Place:
    """The place of the image of this name, as on the command line. Raises UsageError for a name
    that makes no sense."""
    transport, rest = transport_of(image)
    if transport == "docker":
        reference = name_in_registry(image)
        scopes = scopes_of(reference) if reference is not None else []
        return Place(transport, (*scopes, ""), reference)
    if transport in ("dir", "oci", "oci-archive"):
        path, _ = split_selection(rest, image)
        return Place(transport, (*_of_path(os.path.realpath(path)), ""))
    if transport == "docker-archive":
        return Place(transport, ("",))
    return Place("", ())


def _of_path(path: str) -> list[str]:
    found = []
    while path not in ("/", ""):
        found.append(path)
        path = os.path.dirname(path)  # noqa: PTH120
    return found
