"""TUF metadata: whatever a repository or a copy has, it ends in findings."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from assay.model.finding import AssayError
from assay.trust.tuf.instances import Instance

AT = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("timestamp.json", "snapshot.json", "targets.json")


class _Fixed(Instance):
    """An instance with a copy in a folder of its own."""

    folder: str = ""

    @property
    def copy(self) -> Path:
        return Path(self.folder)


@cache
def _instance() -> tuple[Instance, tempfile.TemporaryDirectory[str]]:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root

    signer = CryptoSigner.generate_ed25519()
    root = Root(expires=datetime(2100, 1, 1, tzinfo=UTC))
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    metadata: Metadata[Root] = Metadata(root)
    metadata.sign(signer)
    folder = tempfile.TemporaryDirectory()
    (Path(folder.name) / "metadata").mkdir()
    (Path(folder.name) / "targets").mkdir()
    made = _Fixed("fuzz", "https://tuf.test", "trusted_root.json", metadata.to_bytes(), folder.name)
    return made, folder


def one_input(data: bytes) -> None:
    if find_spec("tuf") is None:
        return  # an extra
    from assay.trust.tuf.fetchers import CopyFetcher
    from assay.trust.tuf.workflow import check_root, run

    with contextlib.suppress(ValueError):
        check_root(data)
    instance, _ = _instance()
    metadata = instance.copy / "metadata"
    for name in NAMES:
        (metadata / name).write_bytes(data)
    try:
        run(instance, AT, CopyFetcher(metadata, "https://tuf.test/"))
    except AssayError:
        return
    raise AssertionError("a copy without signatures was believed")


def seeds() -> list[bytes]:
    return [
        (
            b'{"signed":{"_type":"timestamp","version":1,"spec_version":"1.0.31",'
            b'"expires":"2100-01-01T00:00:00Z","meta":{"snapshot.json":{"version":1}}},'
            b'"signatures":[{"keyid":"00","sig":"00"}]}'
        )
    ]
