"""notation's trust policies and the names in them: any text gives a value or a UsageError."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from assay.model.finding import AssayError, UsageError
from assay.policy_import.notation import IMPORTER
from assay.trust.notation import read_config
from assay.trust.notation_store import TrustStores
from assay.trust.notation_subjects import parse_name, parse_subjects


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        parse_name(text)
    with contextlib.suppress(UsageError):
        parse_subjects(["x509.subject:" + text], "policy")
    with contextlib.suppress(AssayError):
        IMPORTER.read(data).meanings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trustpolicy.json").write_bytes(data)
        with contextlib.suppress(UsageError):
            read_config(folder).policy_for("docker://registry.example/app:1")
        store = folder / "ca" / "ours"
        store.mkdir(parents=True)
        (store / "root.pem").write_bytes(data)
        with contextlib.suppress(UsageError):
            TrustStores(folder).load((("ca", "ours"),))


def seeds() -> list[bytes]:
    return [
        b"C=US, ST=WA, O=a\\, b, CN=\\C3\\A9",
        (
            b'{"version":"1.0","trustPolicies":[{"name":"a","registryScopes":["*"],'
            b'"signatureVerification":{"level":"strict","override":{"expiry":"log"},'
            b'"verifyTimestamp":"always"},"trustStores":["ca:ours","tsa:ours"],'
            b'"trustedIdentities":["x509.subject: C=US, ST=WA, O=a"]}]}'
        ),
    ]
