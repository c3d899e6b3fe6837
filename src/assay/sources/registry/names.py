"""Names of images in registries as Docker's tools complete them: ``busybox`` is
``docker.io/library/busybox`` (distribution/reference, ParseNormalizedNamed)."""

from __future__ import annotations

import os

from msgspec.structs import replace

from assay.model.finding import UsageError
from assay.sources.open import transport_of
from assay.sources.registry.reference import (
    DEFAULT_TAG,
    Reference,
    names_a_registry,
    parse_reference,
)

DEFAULT_REGISTRY = "docker.io"
_OLD_REGISTRY = "index.docker.io"


def complete(text: str) -> Reference:
    """The name with its registry, and neither tag nor digest added. Raises ValueError."""
    found = parse_reference(text, DEFAULT_REGISTRY)
    if found.registry == _OLD_REGISTRY:
        found = replace(found, registry=DEFAULT_REGISTRY)
    if found.registry == DEFAULT_REGISTRY and "/" not in found.repository:
        found = replace(found, repository=f"library/{found.repository}")
    return found


def repository_named(text: str) -> Reference:
    """A repository for signatures, as ``--signature-repository`` names it. Raises UsageError."""
    try:
        found = parse_reference(text.removeprefix("docker://"))
    except ValueError as error:
        raise UsageError(f"--signature-repository {text[:300]}: {error}") from error
    if found.tag or found.digest is not None:
        raise UsageError(
            f"--signature-repository {text}: it has a tag or digest; expected HOST/REPOSITORY"
        )
    return found


def name_in_registry(image: str) -> Reference | None:
    """The name in a registry that an image is called by on the command line, with a tag or a
    digest; None for an image that is kept elsewhere."""
    transport, rest = transport_of(image)
    if transport != "docker":
        return None
    text = rest.removeprefix("//")
    if not names_a_registry(text) and (registry := os.environ.get("ASSAY_DEFAULT_REGISTRY")):
        text = f"{registry}/{text}"
    try:
        found = complete(text)
    except ValueError:
        return None
    if not found.tag and found.digest is None:
        found = replace(found, tag=DEFAULT_TAG)
    return found


def scopes_of(reference: Reference) -> list[str]:
    """The scopes of configuration that an image is in, from the most specific one to the least:
    the image itself, its repository, each namespace, the registry, and ``*.`` before each domain
    that the registry is below (containers-policy.json(5), containers-registries.d(5))."""
    name = reference.name
    found = [f"{name}@{reference.digest}"] if reference.digest is not None else []
    found += [f"{name}:{reference.tag}"] if reference.tag else []
    while True:
        found.append(name)
        if "/" not in name:
            break
        name = name.rpartition("/")[0]
    domain = name.partition(":")[0]
    while "." in domain:
        domain = domain.partition(".")[2]
        found.append(f"*.{domain}")
    return found
