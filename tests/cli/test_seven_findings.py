"""What other tools call "no matching signatures": seven different findings, each with a remedy of
its own, through the command line against a registry."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.support import assay, assay_here
from tests.evidence.test_attached import attach, bundle_for, statement
from tests.support.certificates import Holder, root
from tests.support.notary import TIME, headers, jws, payload, signer
from tests.support.registry import OCI_MANIFEST, Registry, running
from tests.support.revocation import Revoked, answer, now, pointing, serving
from tests.support.sigstore import IDENTITY, ISSUER, NOW, V03, Instance, b64, pae

DAY = timedelta(days=1)


class Scene:
    """A registry with one image, and a folder with what the user trusts."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        self.image = registry.push_image("app", "1")
        self.instance = Instance()
        self.write("root.json", json.dumps(self.instance.trusted_root()).encode())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.write("key.pub", _pem(self.key))

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def sign_with(self, key: Any) -> None:
        """A bundle of cosign 3, by a key."""
        kind, body = "application/vnd.in-toto+json", statement(self.image["digest"])
        content = json.dumps(body).encode()
        signature = key.sign(pae(kind, content), ECDSA(hashes.SHA256()))
        bundle = {
            "mediaType": V03,
            "verificationMaterial": {"publicKey": {"hint": "a key"}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": b64(content),
                "payloadType": kind,
                "signatures": [{"sig": b64(signature)}],
            },
        }
        attach(self.registry, self.image, json.dumps(bundle).encode())

    def sign_as(self, identity: str, **entry: Any) -> None:
        """A bundle by an identity."""
        leaf = self.instance.leaf(identity)
        data = bundle_for(self.instance, self.image["digest"], leaf=leaf, **entry)
        attach(self.registry, self.image, data)

    def notarise(self, leaf: Holder, top: Holder) -> None:
        """A signature of the Notary Project, by someone whom an authority certified."""
        content = payload(self.image["digest"], self.image["size"], self.image["mediaType"])
        protected = headers(**{TIME: now() - timedelta(minutes=5)})
        data = jws(leaf, content, [leaf, top], protected=protected)
        kind = "application/vnd.cncf.notary.signature"
        config = self.registry.push_blob(b"{}", kind)
        layers = [self.registry.push_blob(data, "application/jose+json")]
        manifest = {"mediaType": OCI_MANIFEST, "schemaVersion": 2, "config": config}
        subject = {key: self.image[key] for key in ("mediaType", "digest", "size")}
        self.registry.push_manifest(
            "app", manifest | {"artifactType": kind, "layers": layers, "subject": subject}
        )


def _pem(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found


Arguments = list[str]
BY_KEY = ["--key", "key.pub"]
BY_IDENTITY = ["--trusted-root", "root.json", "--identity", IDENTITY, "--issuer", ISSUER]


def no_signature(_: Scene) -> Iterator[Arguments]:
    yield BY_KEY


def wrong_key(scene: Scene) -> Iterator[Arguments]:
    scene.sign_with(ec.generate_private_key(ec.SECP256R1()))
    yield BY_KEY


def wrong_identity(scene: Scene) -> Iterator[Arguments]:
    scene.sign_as("https://forge.test/fork/app/.forge/workflows/release.yml@refs/tags/v1")
    yield BY_IDENTITY


def expired(scene: Scene) -> Iterator[Arguments]:
    scene.sign_as(IDENTITY, at=NOW + timedelta(hours=1))
    yield BY_IDENTITY


def revoked(scene: Scene) -> Iterator[Arguments]:
    dates: dict[str, Any] = {"start": now() - DAY, "end": now() + DAY}
    top = root("Company", **dates)
    with serving() as service:
        leaf = signer(top, extensions=pointing(responder=f"{service.url}/ocsp"), **dates)
        service.responder("/ocsp", lambda *_: answer(leaf, top, status=Revoked, at=now()))
        scene.notarise(leaf, top)
        scene.write("company.pem", top.pem)
        yield ["--ca", "company.pem", "--revocation", "hard", "--revocation-cache", "cache"]


def log_unreachable(scene: Scene) -> Iterator[Arguments]:
    """Logs are not asked, as their proofs come with signatures; their keys come from a repository,
    and that is what cannot be reached."""
    pytest.importorskip("tuf")
    from tests.support.tuf import Repository

    scene.sign_as(IDENTITY)
    data = json.dumps(scene.instance.trusted_root()).encode()
    scene.write("first-root.json", Repository({"trusted_root.json": data}).first_root)
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        update = ("trust", "update", "--tuf", mirror, "--root", "first-root.json")
        assert assay(*update, cwd=scene.folder, env=home(scene)).returncode == 3
        yield ["--trusted-root", "tuf", "--identity", IDENTITY, "--issuer", ISSUER]


def registry_denied(scene: Scene) -> Iterator[Arguments]:
    scene.sign_with(scene.key)
    scene.registry.authentication = "basic"
    yield BY_KEY


Case = Callable[[Scene], Iterator[Arguments]]
CASES: list[tuple[Case, str, int]] = [
    (no_signature, "no-signature", 1),
    (wrong_key, "wrong-key", 1),
    (wrong_identity, "wrong-identity", 1),
    (expired, "key-expired", 1),
    (revoked, "key-revoked", 1),
    (log_unreachable, "tuf-unreachable", 3),
    (registry_denied, "denied", 3),
]


def home(scene: Scene) -> dict[str, str]:
    return {
        "HOME": str(scene.folder),
        "XDG_CONFIG_HOME": str(scene.folder / "config"),
        "XDG_CACHE_HOME": str(scene.folder / "cache"),
    }


def test_seven_reasons_are_seven_findings(tmp_path: Path) -> None:
    every = {code for _, code, _ in CASES}
    assert len(every) == 7
    remedies: set[str] = set()
    for case, code, status in CASES:
        folder = tmp_path / case.__name__
        folder.mkdir()
        with running() as registry:
            scene = Scene(folder, registry)
            setting = case(scene)
            given = next(setting)
            name = f"docker://{registry.host}/app:1"
            done = assay("verify", name, *given, "--format", "json", cwd=folder, env=home(scene))
            assert done.returncode == status, (case.__name__, done.stdout, done.stderr)
            [verdict] = json.loads(done.stdout)["verdicts"]
            found = {each["code"]: each for each in verdict["findings"]}
            assert code in found, (case.__name__, list(found))
            assert not (found.keys() & every) - {code}, (case.__name__, list(found))
            remedies.add(found[code]["remedy"])
            told = assay("verify", name, *given, cwd=folder, env=home(scene)).stdout
            assert code in told
            assert " do " in told
            for _ in setting:
                pytest.fail("a case is one setting")
    assert len(remedies) == 7


@pytest.mark.parametrize("code", [code for _, code, _ in CASES])
def test_each_is_explained(code: str, tmp_path: Path) -> None:
    done = assay_here("explain", code, cwd=tmp_path)
    assert done.returncode == 0
    text = done.stdout
    assert text.startswith(code)
    assert len(text.splitlines()) > 5
