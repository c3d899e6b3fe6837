"""``assay sign --format notary-…`` from the command line to notation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.produce.keys import pkcs8
from assay.produce.signing_key import SigningKey
from tests.cli.support import assay
from tests.produce.test_notary_real import END, START, authority, notation, trusting
from tests.produce.test_notary_real import _name as name
from tests.support.notary import signer
from tests.support.peers import docker_registry, make_layout, push
from tests.support.tsa import time_stamper, tsa_signer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notary")
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


@pytest.mark.parametrize("form", ["notary-jws", "notary-cose"])
def test_notation_verifies_with_a_time_stamp_and_an_expiry(
    folder: Path, address: str, tmp_path: Path, form: str
) -> None:
    ca, top = authority("root"), authority("TSA root")
    leaf = signer(ca, name("release"), start=START, end=END)
    secret = folder / f"{form}.key"
    secret.write_bytes(pkcs8.FORM.write(SigningKey(leaf.key), None))
    secret.chmod(0o600)
    (folder / "chain.pem").write_bytes(leaf.pem + ca.pem)
    (folder / "tsa.pem").write_bytes(top.pem)
    image = push(folder, address, form)
    words = ("--key", secret.name, "--format", form, "--certificate", "chain.pem")
    with time_stamper(tmp_path / "tsa", tsa_signer(top, start=START, end=END), top) as stamper:
        stamp = ("--timestamp-url", stamper.url, "--tsa-ca", "tsa.pem", "--expiry", "12h")
        done = assay("sign", f"docker://{image}", *words, *stamp, cwd=folder)
        assert done.returncode == 0, done.stderr
        wrong = ("--timestamp-url", stamper.url, "--tsa-ca", "chain.pem")
        done = assay("sign", f"docker://{image}", *words, *wrong, cwd=folder)
        assert done.returncode == 3
    trusting(folder, ("ca", ca), ("tsa", top))
    verified = notation(folder, "verify", "--insecure-registry", image)
    assert verified.returncode == 0, verified.stderr
    trusting(folder, ("ca", authority("another")), ("tsa", top))
    assert notation(folder, "verify", "--insecure-registry", image).returncode
