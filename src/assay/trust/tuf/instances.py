"""The instances that the user made known: each one's repository, and the root that it starts at.

They are what the user decided to trust, and so configuration: ``assay/tuf/NAME`` in the folder for
it (XDG base directory specification). Copies of what can be fetched again are in the cache.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from assay import canonical_json, limits, strict_json
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.sources.http.url import parse_url
from assay.user_folders import user_folder

DEFAULT = "default"
TARGET = "trusted_root.json"
"""The name of the trusted root in the repositories of Sigstore."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_FORMAT = 1


class Instance(Struct, frozen=True):
    """``mirror`` is the URL that metadata is below (targets are in ``targets`` there), ``root`` the
    bytes of the root that the user gave."""

    name: str
    mirror: str
    target: str
    root: bytes

    @property
    def root_digest(self) -> str:
        return f"sha256:{sha256(self.root).hexdigest()}"

    @property
    def copy(self) -> Path:
        """Where the copy of the repository is kept: another one for another address or root."""
        told = f"{self.mirror}\n{self.target}\n{self.root_digest}".encode()
        return (
            user_folder("XDG_CACHE_HOME") / "tuf" / f"{self.name}-{sha256(told).hexdigest()[:16]}"
        )


def folder() -> Path:
    """Where instances are kept."""
    return user_folder("XDG_CONFIG_HOME") / "tuf"


def is_name(text: str) -> bool:
    """Whether ``--trusted-root`` names an instance and no file: ``tuf``, ``tuf:NAME``, a URL."""
    return text == "tuf" or text.startswith(("tuf:", "https://", "http://"))


def find(text: str) -> Instance:
    """The instance that `is_name` text means. Raises UsageError when it is not known."""
    if text.startswith("tuf"):
        return load(text.partition(":")[2] or DEFAULT)
    mirror = _mirror(text, "--trusted-root")
    found = [instance for instance in known() if instance.mirror == mirror]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"tuf:{instance.name}" for instance in found)
        raise UsageError(f"--trusted-root {text}: several instances are there; name one: {names}")
    raise UsageError(
        f"--trusted-root {text}: no root is known for it, so nothing it says could be checked; give"
        f" one once with: assay trust update --tuf {text} --root FILE"
    )


def known() -> list[Instance]:
    """All instances, by name. Raises UsageError when one cannot be read."""
    try:
        names = sorted(entry.name for entry in folder().iterdir() if _NAME.match(entry.name))
    except OSError:
        return []
    return [load(name) for name in names if (folder() / name / "instance.json").exists()]


def load(name: str) -> Instance:
    """The instance of this name. Raises UsageError."""
    place = folder() / name
    if not _NAME.match(name) or not (place / "instance.json").exists():
        raise UsageError(
            f"no TUF instance is called {name[:80]!r}; make it known once, with the root that you"
            " got over a channel that you trust: assay trust update --tuf URL --root FILE"
            + ("" if name == DEFAULT else " --name NAME")
        )
    root = read_bounded(place / "root.json", limits.TUF_ROOT_SIZE, "the root in")
    try:
        data = read_bounded(place / "instance.json", limits.KEY_FILE_SIZE, "the instance in")
        value = strict_json.parse_object(data, "instance.json")
        if value.get("format") != _FORMAT:
            raise UsageError(f"{place}: written by another version of assay")
        instance = Instance(name, str(value["mirror"]), str(value["target"]), root)
        stated = value["root"]
    except (AssayError, KeyError) as error:
        raise UsageError(f"{place}/instance.json cannot be read: {error}") from error
    if instance.root_digest != stated:
        raise UsageError(f"{place}/root.json is not the root that the instance was made known with")
    return instance


def remember(name: str, mirror: str, root: bytes, target: str, *, replace: bool) -> Instance:
    """Make an instance known. Raises UsageError, also where the name stands for another one and it
    is not to be replaced: what is trusted never changes by the way."""
    if not _NAME.match(name):
        raise UsageError(
            f"--name {name[:80]}: lower case letters, digits, and . _ - after the first"
        )
    if not target or target.startswith("/") or ".." in target.split("/"):
        raise UsageError(f"--target {target[:80]}: not the path of a file in a repository")
    instance = Instance(name, _mirror(mirror, "--tuf"), target, root)
    place = folder() / name
    if (place / "instance.json").exists() and not replace and load(name) != instance:
        raise UsageError(
            f"the instance {name} is known with another address or root ({load(name).mirror});"
            " give this one another --name, or say --replace"
        )
    document = canonical_json.encode(
        {
            "format": _FORMAT,
            "mirror": instance.mirror,
            "target": instance.target,
            "root": instance.root_digest,
        }
    )
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(place / "root.json", root)
        write(place / "instance.json", document)
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror or error}") from error
    return instance


def write(path: Path, data: bytes) -> None:
    """Replace a file at once, so that a crash leaves the old or the new. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _mirror(text: str, option: str) -> str:
    try:
        url = parse_url(text)
    except ValueError as error:
        raise UsageError(f"{option}: it is {error}") from error
    if "?" in url.target:
        raise UsageError(f"{option} {url.shown}: a repository's address has no query")
    return str(url).rstrip("/")
