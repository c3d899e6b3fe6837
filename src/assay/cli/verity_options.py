"""What the options about hash trees say."""

from __future__ import annotations

from typing import Any

from assay.formats.verity.parameters import Given
from assay.model.finding import UsageError
from assay.model.measurement import FsVerityRequest
from assay.trust.anchors import Trust
from assay.trust.verity import from_hex, fs_verity_request, given_root, known_algorithm

_NUMBERS = ("hash-type", "data-block-size", "hash-block-size", "data-blocks")


def add_anchors(trust: Trust, given: dict[str, Any]) -> None:
    """Trust the root hash and the fs-verity digests that were given. Raises UsageError."""
    empty = ("", (), None)
    if any(name.startswith("verity_") and value not in empty for name, value in given.items()):
        trust.add_verity_root(verity_from(given))
    for text in given["fs_verity"]:
        trust.add_fs_verity(text, given["fs_verity_block_size"], _fs_verity_salt(given))


def fs_verity_from(given: dict[str, Any], algorithm: str) -> FsVerityRequest:
    """How an fs-verity digest is made. Raises UsageError."""
    return fs_verity_request(algorithm, given["fs_verity_block_size"], _fs_verity_salt(given))


def _fs_verity_salt(given: dict[str, Any]) -> bytes:
    return from_hex("--fs-verity-salt", given["fs_verity_salt"])


def verity_from(given: dict[str, Any]) -> Given:
    """The root hash and all that is said of its tree. Raises UsageError."""
    if not given["verity_root"]:
        raise UsageError("a hash tree counts by its root hash alone; give --verity-root")
    return given_root(
        given["verity_root"],
        tree=given["verity_tree"],
        offset=given["verity_offset"],
        **parameters_from(given),
    )


def parameters_from(given: dict[str, Any]) -> dict[str, Any]:
    """What is said of how a tree is made, by the fields of `Given`. Raises UsageError."""
    stated: dict[str, Any] = {}
    if given["verity_salt"]:
        salt = given["verity_salt"]
        stated["salt"] = b"" if salt == "-" else from_hex("--verity-salt", salt)
    for text in given["verity_parameter"]:
        stated |= _parameter(text)
    return stated


def _parameter(text: str) -> dict[str, Any]:
    option = f"--verity-parameter {text}"
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"{option}: expected NAME=VALUE")
    if name == "algorithm":
        return {"algorithm": known_algorithm(option, value)}
    if name == "superblock" and value in ("yes", "no"):
        return {"superblock": value == "yes"}
    if name in _NUMBERS and value.isascii() and value.isdigit() and len(value) < 18:
        return {name.replace("-", "_"): int(value)}
    raise UsageError(
        f"{option}: known are superblock (yes or no), algorithm, {', '.join(_NUMBERS)}"
    )
