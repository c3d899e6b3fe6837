"""What the command imports: little, and only what the work at hand takes."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest

from assay import plugins

HEAVY = {
    "alembic",
    "asyncio",
    "blake3",
    "concurrent",
    "cryptography",
    "email",
    "http",
    "isal",
    "multiprocessing",
    "rich",
    "sqlalchemy",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib3",
    "zstd",
}
"""Modules that take long to import, and that the check of a plain file has no use for."""

SCRIPT = """
import sys
from assay.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(*sys.modules, file=sys.stderr)
"""


def modules_after(*arguments: object) -> set[str]:
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.fixture(scope="module")
def after_a_file(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("file")
    image, sums = folder / "file", folder / "SHA256SUMS"
    image.write_bytes(b"content")
    sums.write_text(f"{hashlib.sha256(b'content').hexdigest()}  file\n")
    return modules_after("verify", image, "--checksums", sums)


def test_help_imports_no_work() -> None:
    loaded = modules_after("--help")
    assert not loaded & HEAVY
    assert not any(name.startswith("assay.model") for name in loaded)
    assert "msgspec" not in loaded


def test_a_file_with_a_checksum_takes_nothing_heavy(after_a_file: set[str]) -> None:
    assert not after_a_file & HEAVY


@pytest.mark.parametrize("group", ["assay.formats", "assay.signatures"])
def test_a_plug_in_that_has_nothing_to_do_is_only_a_front(
    group: str, after_a_file: set[str]
) -> None:
    """The module that an entry point names decides whether the bytes are its own, and imports
    what it takes to read them in the function that reads them: see CONTRIBUTING.md."""
    fronts = {value.partition(":")[0] for value in plugins.targets(group)}
    parents = {name.rpartition(".")[0] for name in fronts}
    packages = {name for name in fronts | parents if name.count(".") > 1}
    behind = {
        name
        for name in after_a_file
        if name.rpartition(".")[0] in packages and name not in fronts | parents
    }
    assert not behind
    libraries = tuple(f"assay.{part}." for part in ("asn1", "cms", "crypto", "sigstore", "x509"))
    small = {"assay.cms.shape", "assay.x509.key_schemes"}
    assert not {name for name in after_a_file if name.startswith(libraries)} - small


def test_one_signed_file_takes_one_scheme_and_its_library(tmp_path: Path) -> None:
    """All that a MAC takes is hashing."""
    secret, image = tmp_path / "secret", tmp_path / "file"
    secret.write_bytes(b"k" * 32)
    image.write_bytes(b"content")
    code = hmac.digest(b"k" * 32, b"content", "sha256").hex()
    (tmp_path / "file.hmac").write_text(code + "\n")
    loaded = modules_after(
        "verify", image, "--key", f"secret:{secret}", "--signature", tmp_path / "file.hmac"
    )
    assert not loaded & HEAVY
