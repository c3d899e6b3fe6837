"""What the user says of hash trees: root hashes of dm-verity, digests of fs-verity."""

from __future__ import annotations

import os
from typing import Any

from assay.formats.verity.parameters import Given, Parameters
from assay.model.digest import algorithm_named
from assay.model.finding import UsageError
from assay.model.measurement import FsVerityRequest

PARAMETERS = frozenset(Parameters.__struct_fields__) - {"salt"}


def given_root(
    root: str,
    *,
    tree: str | os.PathLike[str] = "",
    offset: int | None = None,
    salt: bytes | None = None,
    superblock: bool = True,
    **parameters: Any,
) -> Given:
    """What the options about a root hash say: ``root`` is in hexadecimal digits, the algorithm may
    be in front (``sha512:...``). ``parameters`` are fields of `Parameters`. Raises UsageError."""
    name, colon, digits = root.rpartition(":")
    stated: dict[str, Any] = {"root": from_hex("--verity-root", digits), **parameters}
    if unknown := sorted(set(parameters) - PARAMETERS):
        raise UsageError(f"--verity-parameter: there is no {unknown[0]}")
    if colon:
        stated["algorithm"] = name
    if "algorithm" in stated:
        stated["algorithm"] = known_algorithm("--verity-root", stated["algorithm"])
    if salt is not None:
        stated["salt"] = salt
    if not superblock and not tree and offset is None:
        raise UsageError(
            "without a superblock nothing shows where the tree is; give --verity-tree, or"
            " --verity-offset where it is in the image itself"
        )
    if not superblock and salt is None:
        raise UsageError("without a superblock nothing says what the salt is; give --verity-salt")
    return Given(tree=os.fspath(tree), offset=offset or 0, superblock=superblock, **stated)


def fs_verity_request(algorithm: str, block_size: int, salt: bytes) -> FsVerityRequest:
    """How an fs-verity digest is made. Raises UsageError."""
    from assay.measure.fs_verity import check_request

    request = FsVerityRequest(algorithm, block_size, salt)
    try:
        check_request(request)
    except ValueError as error:
        raise UsageError(f"--fs-verity: {error}") from error
    return request


def known_algorithm(option: str, name: str) -> str:
    """The canonical name of a digest algorithm. Raises UsageError."""
    found = algorithm_named(name)
    if found is None:
        raise UsageError(f"{option}: no digest algorithm {name!r}")
    return found.name


def from_hex(option: str, text: str) -> bytes:
    """Raises UsageError."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"{option} {text[:140]}: expected hexadecimal digits") from None
