"""sigstore-python and Assay, both ways: bundles of an instance of our own, with its authority and
logs, that each accepts or refuses; and bundles that sigstore-python has made there.

sigstore-python verifies no signatures by keys, so what `assay sign` makes is for cosign to verify
(tests/produce).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.signatures import test_sigstore as tampering
from tests.support.sigstore import IDENTITY, ISSUER, NOW, Instance, Leaf, times

TOOL = shutil.which("sigstore") or shutil.which(
    "sigstore", path=str(Path(__file__).parents[2] / ".cache" / "peers")
)
if TOOL is None:
    pytest.skip("sigstore is not installed", allow_module_level=True)

ARTIFACT = b"the artifact\n" * 1000
EMAIL = "builder@company.test"
TOKENS = "http://tokens.test"


class Bench:
    """A folder with an artifact, its bundle, and what both tools are to trust."""

    def __init__(self, folder: Path, instance: Instance, services: str = "") -> None:
        self.folder = folder
        (folder / "artifact").write_bytes(ARTIFACT)
        root = instance.trusted_root()
        for authority in root["certificateAuthorities"]:  # a member that it asks for
            authority["subject"] = {"organization": instance.name, "commonName": "root"}
        (folder / "root.json").write_text(json.dumps(root))
        place = services or "http://127.0.0.1:9"
        service = {
            "url": place,
            "majorApiVersion": 1,
            "validFor": {"start": times(NOW - timedelta(days=365))},
            "operator": "us",
        }
        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [service],
            "rekorTlogUrls": [service],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [],
            "tsaConfig": {"selector": "ANY"},
        }
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": root,
            "signingConfig": signing,
        }
        (folder / "config.json").write_text(json.dumps(config))

    def write(self, bundle: dict[str, Any]) -> None:
        (self.folder / "bundle.json").write_text(json.dumps(bundle))

    def sigstore(self, *words: str) -> subprocess.CompletedProcess[str]:
        assert TOOL is not None
        environment = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        }
        return subprocess.run(
            [TOOL, "--trust-config", "config.json", *words],
            cwd=self.folder,
            env=environment | {"HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def theirs(self, identity: str = IDENTITY, issuer: str = ISSUER) -> bool:
        done = self.sigstore(
            "verify", "identity", "--offline", "--bundle", "bundle.json",
            "--cert-identity", identity, "--cert-oidc-issuer", issuer, "artifact",
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode == 0

    def ours(self, identity: str = IDENTITY, issuer: str = ISSUER) -> bool:
        trust = Trust().add_identity(identity, issuer)
        trust.add_trusted_root(str(self.folder / "root.json"))
        request = VerifyOptions(trust, signatures=[str(self.folder / "bundle.json")])
        [verdict] = verify(str(self.folder / "artifact"), request)
        return verdict.exit_status == 0


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


def _leaf(instance: Instance, **more: Any) -> Leaf:
    """A certificate that names its issuer in the first way, too, which alone their tool reads."""
    return instance.leaf(claims={1: ISSUER}, **more)


def test_both_accept_what_is_right(tmp_path: Path, instance: Instance) -> None:
    bench = Bench(tmp_path, instance)
    bench.write(instance.sign(ARTIFACT, _leaf(instance)))
    assert bench.theirs()
    assert bench.ours()
    for identity, issuer in ((IDENTITY + "x", ISSUER), (IDENTITY, ISSUER + "x")):
        assert not bench.theirs(identity, issuer)
        assert not bench.ours(identity, issuer)


def _another_artifact(bench: Bench, _: Instance, bundle: dict[str, Any]) -> None:
    bench.write(bundle)
    (bench.folder / "artifact").write_bytes(ARTIFACT + b"more")


def _tampered(name: str) -> Callable[[Bench, Instance, dict[str, Any]], None]:
    def change(bench: Bench, instance: Instance, bundle: dict[str, Any]) -> None:
        getattr(tampering, name)(instance, bundle)
        bench.write(bundle)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _another_artifact,
        *map(
            _tampered,
            (
                "_forged_promise",
                "_later_time_than_promised",
                "_wrong_place_in_the_tree",
                "_forged_checkpoint",
                "_checkpoint_of_another_tree",
                "_no_entry",
                "_signature_of_another_artifact",
            ),
        ),
    ],
    ids=lambda change: change.__closure__[0].cell_contents if change.__closure__ else "artifact",
)
def test_both_refuse_what_was_tampered_with(
    tmp_path: Path, instance: Instance, change: Callable[[Bench, Instance, dict[str, Any]], None]
) -> None:
    bench = Bench(tmp_path, instance)
    change(bench, instance, instance.sign(ARTIFACT, _leaf(instance)))
    assert not bench.theirs()
    assert not bench.ours()


@pytest.mark.parametrize(
    "leaf",
    [{"minutes": 0}, {"at": NOW + timedelta(hours=1)}, {"logged": False}],
    ids=["expired", "not-yet-valid", "not-logged"],
)
def test_both_refuse_a_certificate_that_does_not_hold(
    tmp_path: Path, instance: Instance, leaf: dict[str, Any]
) -> None:
    bench = Bench(tmp_path, instance)
    bench.write(instance.sign(ARTIFACT, _leaf(instance, **leaf)))
    assert not bench.theirs()
    assert not bench.ours()


class _Asked:
    """The public half of a key, in place of the key that an authority never sees."""

    def __init__(self, request: x509.CertificateSigningRequest) -> None:
        self._public = request.public_key()

    def public_key(self) -> Any:
        return self._public


@pytest.fixture
def services(instance: Instance) -> Iterator[str]:
    """Fulcio and Rekor of the instance, as far as signing takes them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            asked = json.loads(self.rfile.read(length))
            if self.path.endswith("/signingCert"):
                request = base64.b64decode(asked["certificateSigningRequest"])
                csr = x509.load_pem_x509_csr(request)
                at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
                leaf = instance.leaf(EMAIL, TOKENS, at=at, key=_Asked(csr), claims={1: TOKENS})
                chain = (leaf.certificate, instance.issuing, instance.ca)
                pems = [each.public_bytes(Encoding.PEM).decode() for each in chain]
                self._say({"signedCertificateEmbeddedSct": {"chain": {"certificates": pems}}})
            elif self.path.endswith("/log/entries"):
                self._say({"ab" * 40: _rekor_entry(instance, asked)}, 201)
            else:
                self.send_error(404)

        def _say(self, value: Any, status: int = 200) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _rekor_entry(instance: Instance, proposed: dict[str, Any]) -> dict[str, Any]:
    """What Rekor answers, in its own form. Of an envelope it keeps digests alone."""
    if proposed["kind"] == "dsse":
        content = proposed["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        payload = base64.b64decode(envelope["payload"])
        proposed = proposed | {
            "spec": {
                "envelopeHash": _sha256(content["envelope"].encode()),
                "payloadHash": _sha256(payload),
                "signatures": [
                    {"signature": envelope["signatures"][0]["sig"], "verifier": verifier}
                    for verifier in content["verifiers"]
                ],
            }
        }
    entry = instance.entry(proposed, at=datetime.now(UTC))
    proof = entry["inclusionProof"]
    return {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [base64.b64decode(each).hex() for each in proof["hashes"]],
                "logIndex": int(proof["logIndex"]),
                "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        },
    }


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _token() -> str:
    """A token as an identity provider gives it. Nobody here checks its signature."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": TOKENS,
        "sub": EMAIL,
        "email": EMAIL,
        "email_verified": True,
        "aud": "sigstore",
        "iat": now - 10,
        "nbf": now - 10,
        "exp": now + 600,
    }
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b"c2lnbmF0dXJl"]).decode()


@pytest.mark.parametrize("verb", ["sign", "attest"])
def test_what_sigstore_python_makes(
    tmp_path: Path, instance: Instance, services: str, verb: str
) -> None:
    bench = Bench(tmp_path, instance, services)
    more: list[str] = []
    if verb == "attest":
        predicate = {
            "buildDefinition": {
                "buildType": "https://build.example/type/1",
                "externalParameters": {},
                "internalParameters": {},
                "resolvedDependencies": [],
            },
            "runDetails": {
                "builder": {"id": "https://build.example/hosted"},
                "metadata": {"invocationId": "1"},
            },
        }
        (tmp_path / "predicate.json").write_text(json.dumps(predicate))
        more = ["--predicate", "predicate.json"]
        more += ["--predicate-type", "https://slsa.dev/provenance/v1"]
    done = bench.sigstore(
        verb, "--identity-token", _token(), "--bundle", "bundle.json", *more, "artifact"
    )
    assert done.returncode == 0, done.stderr + done.stdout
    made = json.loads((tmp_path / "bundle.json").read_text())
    assert ("dsseEnvelope" in made) is (verb == "attest")
    assert bench.theirs(EMAIL, TOKENS)
    trust = Trust().add_identity(EMAIL, TOKENS)
    trust.add_trusted_root(str(tmp_path / "root.json"))
    given = {"signatures" if verb == "sign" else "attestations": [str(tmp_path / "bundle.json")]}
    [verdict] = verify(str(tmp_path / "artifact"), VerifyOptions(trust, **given))
    assert verdict.exit_status == 0, verdict.findings
    (tmp_path / "artifact").write_bytes(ARTIFACT + b"more")
    assert not bench.theirs(EMAIL, TOKENS)
    [verdict] = verify(str(tmp_path / "artifact"), VerifyOptions(trust, **given))
    assert verdict.exit_status == 1
