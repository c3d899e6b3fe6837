"""No secret that Assay was given stands in anything that it writes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from assay import plugins
from tests.cli.support import assay_here

SHARED = "kept-in-the-environment-4711"
FILED = "kept-in-a-file-0815"
PASSPHRASE = "what-opens-the-key-2222"
POLICY = """
assay-policy: 1
anchors:
  shared: {secrets: ["env:ASSAY_TEST_SECRET"]}
  filed: {secrets: ["file:filed.secret"]}
rules:
  - {name: either, match: {}, require: {signers: {any: [shared, filed]}}}
"""


def forms_of(secret: str) -> list[bytes]:
    """The secret as it might be written."""
    data = secret.encode()
    return [data, data.hex().encode(), base64.b64encode(data).rstrip(b"=")[:-1]]


@pytest.mark.parametrize("right", [True, False])
def test_secrets_are_in_no_report_and_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    monkeypatch.setenv("ASSAY_TEST_SECRET", SHARED)
    monkeypatch.setenv("ASSAY_TEST_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "written" / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "written" / "cache"))
    written = tmp_path / "written"
    written.mkdir()
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "filed.secret").write_text(FILED)
    (tmp_path / "filed.secret").chmod(0o600)
    (tmp_path / "disk.img").write_bytes(b"content")
    code = hmac.new(SHARED.encode(), b"content" if right else b"other", hashlib.sha256)
    (tmp_path / "disk.img.hmac").write_text(code.hexdigest() + "\n")
    given = ("--passphrase", "env:ASSAY_TEST_PASSPHRASE")
    for args in (
        ("key", "generate", "my.key", "--kind", "ed25519", *given),
        ("ledger", "init", "written/v.db", "--key", "my.key", "--origin", "test/v", *given),
    ):
        assert assay_here(*args, cwd=tmp_path).returncode == 0
    reports = [f"--report={form}=written/{form}" for form in plugins.names("assay.reports")]
    done = assay_here(
        *("verify", "disk.img", "--policy", "policy.yaml", "--signature", "disk.img.hmac", "-v"),
        *reports,
        *("--report=vsa=written/vsa", "--report-key=my.key", "--verifier-id=https://v.example"),
        *("--report-passphrase=env:ASSAY_TEST_PASSPHRASE", "--record-facts=written/facts"),
        *("--ledger=written/v.db", "--ledger-key=my.key"),
        *("--ledger-passphrase=env:ASSAY_TEST_PASSPHRASE", "--record-user", "--record-host"),
        cwd=tmp_path,
    )
    assert done.returncode == (0 if right else 1)
    files = [path for path in written.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"html", "sarif", "facts", "v.db", "vsa"}
    everything = [path.read_bytes() for path in files]
    everything += [done.stdout.encode(), done.stderr.encode()]
    for secret in (SHARED, FILED, PASSPHRASE):
        for form in forms_of(secret):
            assert not any(form in text for text in everything)
