"""What the tests of OpenPGP share: trying a signature, and GnuPG in a home of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from assay.model.finding import AssayError
from assay.model.signature import InlineSigned, Key, SignatureOutcome, Status
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.writer import DAY, T0, Cert, SecretKey, packet
from tests.signatures.support import check, run, tool

CONTENT = b"an image, or as good as one\n"
NOW = T0 + 100 * DAY


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def keys_in(*files: bytes) -> list[Key]:
    """The keys of key files, each an anchor of its own."""
    return [
        key
        for number, data in enumerate(files)
        for key in OPENPGP.load_keys(data, f"key:{number + 1}")
    ]


def tried(
    signature: bytes, *certs: Cert | bytes, content: bytes = CONTENT, at: int = NOW
) -> SignatureOutcome:
    """The outcome of the one signature in a detached file."""
    keys = keys_in(*(cert.data if isinstance(cert, Cert) else cert for cert in certs))
    assert OPENPGP.recognise(signature)
    [prepared] = OPENPGP.prepare(signature, "file", "file.sig", "")
    return check(prepared, content, keys, moment(at))


def made_by(
    signer: SecretKey, *certs: Cert | bytes, at: int = NOW, created: int | None = None
) -> SignatureOutcome:
    """The outcome of a proper signature by ``signer``."""
    made = packet(2, signer.sign(CONTENT, created=created or at - 3600))
    return tried(made, *certs, at=at)


def code(outcome: SignatureOutcome) -> str:
    """``verified``, or the code of what keeps the signature from counting."""
    if outcome.status is Status.VERIFIED:
        return "verified"
    [finding] = outcome.findings
    assert not outcome.vouchers
    return finding.code


def inline(data: bytes) -> InlineSigned:
    found = OPENPGP.inline(data, "file/signed", "file")
    assert found is not None
    return found


def inline_code(data: bytes, cert: Cert | bytes, at: int = NOW) -> str:
    """What becomes of a document that carries one signature."""
    try:
        found = inline(data)
    except AssayError as error:
        return error.finding.code
    [prepared] = found.signatures
    keys = keys_in(cert.data if isinstance(cert, Cert) else cert)
    return code(check(prepared, found.content, keys, moment(at)))


class Gnupg:
    """GnuPG with keys of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._gpg = [tool("gpg"), "--homedir", str(home), "--batch", "--yes", "--quiet"]
        self._gpg += ["--pinentry-mode", "loopback", "--passphrase", ""]

    def run(self, *words: str | Path, at: str = "", stdin: bytes = b"") -> bytes:
        """Run gpg, with ``at`` (``2020-01-01 00:00:00``) as the time."""
        clock = [tool("faketime"), at] if at else []
        return run(*clock, *self._gpg, *words, stdin=stdin)

    def make(
        self,
        user_id: str,
        algorithm: str,
        usage: str = "sign",
        expires: str = "never",
        at: str = "",
    ) -> str:
        """Make a key; its fingerprint."""
        self.run("--quick-gen-key", user_id, algorithm, usage, expires, at=at)
        return self.fingerprints(user_id)[0]

    def fingerprints(self, user_id: str) -> list[str]:
        listed = self.run("--list-keys", "--with-colons", user_id).decode()
        lines = [line.split(":") for line in listed.splitlines()]
        return [fields[9] for fields in lines if fields[0] == "fpr"]

    def export(self, *user_ids: str) -> bytes:
        return self.run("--export", *user_ids)

    def says_yes(self, keyring: bytes, *files: Path) -> bool:
        """Whether gpgv accepts, knowing these keys."""
        ring = self.home / "ring.gpg"
        ring.write_bytes(keyring)
        words = [tool("gpgv"), "--homedir", str(self.home), "--keyring", str(ring)]
        words += [str(file) for file in files]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0


@contextmanager
def gnupg() -> Iterator[Gnupg]:
    """A GnuPG whose agent ends with the block."""
    tool("gpg"), tool("gpgv"), tool("gpgconf")
    # the path of an agent's socket must not be long
    home = Path(mkdtemp(prefix="gnupg-"))
    home.chmod(0o700)
    try:
        yield Gnupg(home)
    finally:
        ending = ["gpgconf", "--homedir", str(home), "--kill", "all"]
        subprocess.run(ending, capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)
