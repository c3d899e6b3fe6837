"""Names of images, as patterns of a policy and the words of signers have to match them."""

from __future__ import annotations

from msgspec import Struct

from assay.policy.facts import Facts

_TRANSPORT = "docker://"
_DEFAULT_TAG = "latest"


class ImageName(Struct, frozen=True):
    """A name taken apart. ``repository`` is ``registry/repository`` and ``tag`` the tag, both empty
    for what is no name in a registry; ``forms`` are all ways to write the name."""

    forms: tuple[str, ...]
    repository: str = ""
    tag: str = ""


def image_name(facts: Facts) -> ImageName:
    """The name that an image is used by."""
    name, given = facts.grounds.name, facts.grounds.name != facts.image
    if not (name.startswith(_TRANSPORT) or facts.resolved.startswith(_TRANSPORT) or given):
        return ImageName(tuple(dict.fromkeys((name, facts.resolved))))
    found = registry_name(name)
    digest = facts.resolved.rpartition("@")[2] if "@" in facts.resolved else ""
    forms = [name.removeprefix(_TRANSPORT)]
    if found.tag:
        forms.append(f"{found.repository}:{found.tag}")
    if digest:
        forms += [f"{found.repository}@{digest}", f"{found.repository}:{found.tag}@{digest}"]
    return ImageName(tuple(dict.fromkeys(forms)), found.repository, found.tag)


def registry_name(text: str) -> ImageName:
    """A name in a registry. A missing tag is ``latest``, unless a digest stands in for it."""
    plain = text.removeprefix(_TRANSPORT)
    rest, at, _ = plain.partition("@")
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    if not colon and not at:
        tag = _DEFAULT_TAG
    return ImageName((plain,), head + slash + last, tag)
