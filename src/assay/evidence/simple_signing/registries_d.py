"""Where signatures of images in registries are kept, as the configuration of podman and skopeo has
it: the YAML files of a ``registries.d`` directory (containers-registries.d(5)).

It says where to look and whom to believe not at all, so what it names is only looked into.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from assay import limits
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.sources.registry.names import scopes_of
from assay.sources.registry.reference import Reference
from assay.strict_yaml import Node, parse_all

_LOCATIONS = ("lookaside", "sigstore")
"""The member with a location, and what it was called before."""
_KNOWN = (
    *_LOCATIONS, "lookaside-staging", "sigstore-staging", "use-sigstore-attachments",
)  # fmt: skip


class RegistriesD(Struct, frozen=True):
    """The configuration of a directory: a location for each namespace that has one, and the one
    for all others (empty for none)."""

    namespaces: dict[str, str]
    default: str = ""

    def lookaside_for(self, reference: Reference) -> str:
        """Where the signatures of an image are kept; empty where nobody says."""
        for scope in scopes_of(reference):
            if self.namespaces.get(scope):
                return self.namespaces[scope]
        return self.default


def read_directory(folder: Path) -> RegistriesD:
    """Read a directory. Raises UsageError for what is not as the format has it."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".yaml")
    except OSError as error:
        raise UsageError(f"--registries-d {folder}: {error.strerror or error}") from error
    if len(paths) > limits.REGISTRIES_D_FILES:
        raise UsageError(f"--registries-d {folder}: more than {limits.REGISTRIES_D_FILES} files")
    namespaces: dict[str, str] = {}
    default: str | None = None
    for path in paths:
        data = read_bounded(path, limits.YAML_SIZE, "--registries-d")
        try:
            found = parse_file(data)
        except AssayError as error:
            raise UsageError(f"--registries-d {path}: {error.finding.detail}") from error
        except ValueError as error:
            raise UsageError(f"--registries-d {path}: {error}") from error
        own, for_others = found
        if for_others is not None and default is not None:
            raise UsageError(f"--registries-d {path}: default-docker stands in another file, too")
        default = for_others if for_others is not None else default
        for namespace, location in own.items():
            if namespace in namespaces:
                raise UsageError(f"--registries-d {path}: {namespace} stands in another file, too")
            namespaces[namespace] = location
    return RegistriesD(namespaces, default or "")


def parse_file(data: bytes) -> tuple[dict[str, str], str | None]:
    """The locations in one file: by namespace, and for all others (None where it is silent).
    Raises AssayError, ValueError."""
    documents = parse_all(data, "")
    if not documents:
        return {}, None
    if len(documents) > 1:
        raise ValueError(f"{len(documents)} YAML documents, where one is expected")
    top = _members(documents[0], "the file", ("docker", "default-docker"))
    default = None
    if "default-docker" in top:
        default = _location(top["default-docker"], "default-docker")
    namespaces = _mapping(top["docker"], "docker") if "docker" in top else {}
    return {name: _location(node, name) for name, node in namespaces.items()}, default


def _mapping(node: Node, what: str) -> dict[str, Node]:
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise ValueError(f"line {node.line}: {what} is not a mapping")
    return node.value


def _members(node: Node, what: str, known: tuple[str, ...]) -> dict[str, Node]:
    found = _mapping(node, what)
    for name in found:
        if name not in known:
            line = node.keys[name][0]
            raise ValueError(f"line {line}: {name[:100]!r} is not known in {what[:100]}")
    return found


def _location(node: Node, what: str) -> str:
    members = _members(node, what, _KNOWN)
    for name, value in members.items():
        wanted: Any = bool if name == "use-sigstore-attachments" else str
        if not isinstance(value.value, wanted):
            raise ValueError(f"line {value.line}: {name} of {what[:100]} has no value of its kind")
    given = [members[name].value for name in _LOCATIONS if name in members]
    return str(given[0]) if given else ""
