"""Policies, keys and signed files for tests."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.policy_documents.load import load
from assay.trust.anchors import Trust

AT = datetime(2026, 6, 1, tzinfo=UTC)
_RAW, _PEM = serialization.Encoding.Raw, serialization.Encoding.PEM


class Person:
    """Someone with a key (Ed25519)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.name = name
        self.folder = folder
        self.pem = self.key.public_key().public_bytes(
            _PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.file = folder / f"{name}.pub"
        self.file.write_bytes(self.pem)

    def sign(self, path: Path) -> str:
        """Sign a file; the signature's name."""
        signature = self.folder / f"{path.name}.{self.name}.sig"
        signature.write_bytes(self.key.sign(path.read_bytes()))
        return str(signature)


def write(folder: Path, text: str, name: str = "policy.yaml") -> str:
    path = folder / name
    path.write_text("assay-policy: 1\n" + textwrap.dedent(text))
    return str(path)


def image(folder: Path, data: bytes = b"an image" * 100) -> Path:
    path = folder / "disk.img"
    path.write_bytes(data)
    return path


def judge(policy: str, path: Path, *signatures: str, at: datetime = AT, **more: Any) -> Verdict:
    """The verdict on a file by a policy."""
    loaded = load([policy], at=at)
    request = VerifyOptions(
        Trust(), signatures=list(signatures), at=at, policy=loaded, decider=loaded.decider(), **more
    )
    [verdict] = verify(str(path), request)
    return verdict
