"""Names of images, as patterns of a policy and the words of signers have to match them."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from assay.policy.facts import Facts

_TRANSPORT = "docker://"
_DEFAULT_TAG = "latest"
_HTTPS = 443
_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


class ImageName(Struct, frozen=True):
    """A name taken apart. ``repository`` is ``registry/repository`` and ``tag`` the tag, both empty
    for what is no name in a registry; ``forms`` are all ways to write the name, ``repositories``
    all those to write the repository. Beside a digest (``pinned``) a tag is whatever the caller
    writes: nobody looks it up. ``exact`` are the forms that hold all the same."""

    forms: tuple[str, ...]
    repository: str = ""
    tag: str = ""
    repositories: tuple[str, ...] = ()
    pinned: bool = False
    exact: tuple[str, ...] = ()


def image_name(facts: Facts) -> ImageName:
    """The name that an image is used by."""
    name, given = facts.grounds.name, facts.grounds.name != facts.image
    if not (name.startswith(_TRANSPORT) or facts.resolved.startswith(_TRANSPORT) or given):
        forms = tuple(dict.fromkeys((name, facts.resolved)))
        return ImageName(forms, exact=forms)
    found = registry_name(name)
    resolved = facts.resolved.startswith(_TRANSPORT) and not given
    if resolved and not _names_registry(found.repository):
        # a name without a registry means the one that is default here: rules about that one hold
        at_home = registry_name(facts.resolved)
        both_ways = tuple(dict.fromkeys((*at_home.repositories, *found.repositories)))
        found = replace(found, repository=both_ways[0], repositories=both_ways)
    written = name.removeprefix(_TRANSPORT)
    digest = facts.resolved.rpartition("@")[2] if "@" in facts.resolved else ""
    tagged = [f"{each}:{found.tag}" for each in found.repositories if found.tag]
    by_digest = [f"{each}@{digest}" for each in found.repositories if digest]
    both = [f"{each}@{digest}" for each in tagged if digest]
    forms = tuple(dict.fromkeys((written, *tagged, *by_digest, *both)))
    exact = tuple(by_digest) if found.pinned else forms
    return replace(found, forms=forms, exact=exact)


def registry_name(text: str) -> ImageName:
    """A name in a registry. A missing tag is ``latest``, unless a digest stands in for it."""
    plain = text.removeprefix(_TRANSPORT)
    rest, at, _ = plain.partition("@")
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if not colon and not at:
        tag = _DEFAULT_TAG
    repositories = _spellings(head + slash + last)
    return ImageName((plain,), repositories[0], tag, repositories, bool(at), (plain,))


def _names_registry(repository: str) -> bool:
    registry, slash, _ = repository.partition("/")
    return bool(slash) and ("." in registry or ":" in registry or registry == "localhost")


def _spellings(repository: str) -> tuple[str, ...]:
    """All ways to write a repository, the plainest first: by another spelling of its registry an
    image is still what a rule is about."""
    if not _names_registry(repository):
        return (repository,)
    registry, _, path = repository.partition("/")
    host, colon, port = registry.lower().rpartition(":")
    if not colon or not port.isdigit():
        host, port = registry.lower(), ""
    host = host.removesuffix(".")
    if port and int(port) == _HTTPS:
        port = ""
    if host in _DOCKER_HUB and not port:
        host = _DOCKER_HUB[0]
        path = path if "/" in path else f"library/{path}"
    plain = f"{host}:{port}/{path}" if port else f"{host}/{path}"
    with_port = () if port else (f"{host}:{_HTTPS}/{path}",)
    return tuple(dict.fromkeys((plain, repository, *with_port)))
