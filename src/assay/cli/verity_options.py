"""What the options about hash trees say."""

from __future__ import annotations

from typing import Any

from assay.formats.verity.parameters import Given
from assay.measure.fs_verity import check_request
from assay.model.digest import algorithm_named
from assay.model.finding import UsageError
from assay.model.measurement import FsVerityRequest
from assay.trust.anchors import Trust

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
    request = FsVerityRequest(algorithm, given["fs_verity_block_size"], _fs_verity_salt(given))
    try:
        check_request(request)
    except ValueError as error:
        raise UsageError(f"--fs-verity: {error}") from error
    return request


def _fs_verity_salt(given: dict[str, Any]) -> bytes:
    return _hex("--fs-verity-salt", given["fs_verity_salt"])


def verity_from(given: dict[str, Any]) -> Given:
    """The root hash and all that is said of its tree. Raises UsageError."""
    if not given["verity_root"]:
        raise UsageError("a hash tree counts by its root hash alone; give --verity-root")
    root = given["verity_root"]
    name, colon, digits = root.rpartition(":")
    stated: dict[str, Any] = {"root": _hex("--verity-root", digits), **parameters_from(given)}
    if colon:
        stated["algorithm"] = _algorithm("--verity-root", name)
    found = Given(tree=given["verity_tree"], offset=given["verity_offset"] or 0, **stated)
    if not found.superblock and not given["verity_tree"] and given["verity_offset"] is None:
        raise UsageError(
            "without a superblock nothing shows where the tree is; give --verity-tree, or"
            " --verity-offset where it is in the image itself"
        )
    if not found.superblock and not isinstance(found.salt, bytes):
        raise UsageError("without a superblock nothing says what the salt is; give --verity-salt")
    return found


def parameters_from(given: dict[str, Any]) -> dict[str, Any]:
    """What is said of how a tree is made, by the fields of `Given`. Raises UsageError."""
    stated: dict[str, Any] = {}
    if given["verity_salt"]:
        salt = given["verity_salt"]
        stated["salt"] = b"" if salt == "-" else _hex("--verity-salt", salt)
    for text in given["verity_parameter"]:
        stated |= _parameter(text)
    return stated


def _parameter(text: str) -> dict[str, Any]:
    option = f"--verity-parameter {text}"
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise UsageError(f"{option}: expected NAME=VALUE")
    if name == "algorithm":
        return {"algorithm": _algorithm(option, value)}
    if name == "superblock" and value in ("yes", "no"):
        return {"superblock": value == "yes"}
    if name in _NUMBERS and value.isascii() and value.isdigit() and len(value) < 18:
        return {name.replace("-", "_"): int(value)}
    raise UsageError(
        f"{option}: known are superblock (yes or no), algorithm, {', '.join(_NUMBERS)}"
    )


def _algorithm(option: str, name: str) -> str:
    found = algorithm_named(name)
    if found is None:
        raise UsageError(f"{option}: no digest algorithm {name!r}")
    return found.name


def _hex(option: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{option} {text[:140]}: expected hexadecimal digits") from None
