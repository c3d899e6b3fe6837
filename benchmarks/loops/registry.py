"""Many images of a registry in one call: COUNT MILLISECONDS [another-key].

The registry is in memory, in a process of its own, and takes MILLISECONDS to answer, as one that
is some way off does. Each image has one layer, and a signature by a key under a tag of its own.
"""

from __future__ import annotations

import base64
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import run

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.evidence.attached.legacy import usual_payload
from assay.model.digest import Digest
from benchmarks.work import assay
from tests.support import registry as support

_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
_ANNOTATION = "dev.cosignproject.cosign/signature"


def _signed(registry: support.Registry, number: int, key: ec.EllipticCurvePrivateKey) -> str:
    """Push an image and its signature; the image's name."""
    image = registry.push_image("app", layers=[{"number": b"%d" % number}])
    data = usual_payload(Digest.parse(image["digest"]), f"{registry.host}/app")
    signature = base64.b64encode(key.sign(data, ec.ECDSA(hashes.SHA256()))).decode()
    layer = registry.push_blob(data, _PAYLOAD) | {"annotations": {_ANNOTATION: signature}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": support.OCI_MANIFEST,
        "config": registry.push_blob(b"{}", support.OCI_CONFIG),
        "layers": [layer],
    }
    registry.push_manifest("app", manifest, image["digest"].replace(":", "-") + ".sig")
    return f"docker://{registry.host}/app@{image['digest']}"


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def serve(count: int, wait: float, pipe: Connection) -> None:
    """Say the names and the key, serve until something comes back, say the number of requests."""
    key = ec.generate_private_key(ec.SECP256R1())
    with support.running() as registry:
        registry.faults.no_referrers_api = True
        handler = support._Handler._serve

        def later(self: support._Handler) -> None:
            time.sleep(wait)
            handler(self)

        support._Handler._serve = later  # type: ignore[method-assign]
        names = [_signed(registry, number, key) for number in range(count)]
        pipe.send((names, _pem(key)))
        pipe.recv()
        pipe.send(len(registry.requests))


def main() -> int:
    count = int(sys.argv[1])
    wait = float(sys.argv[2]) / 1000
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(count, wait, theirs))
    process.start()
    try:
        names, pem = ours.recv()
        if "another-key" in sys.argv[3:]:
            pem = _pem(ec.generate_private_key(ec.SECP256R1()))
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "key.pub").write_bytes(pem)
            begin = time.perf_counter()
            done = run(assay("verify", "-q", *names, "--key", Path(folder, "key.pub")), check=False)
            passed = time.perf_counter() - begin
        ours.send("end")
        print(f"note: {ours.recv() / count:.2f} requests for each image")
        print(f"rate: {count / passed:.1f}")
        return done.returncode
    finally:
        process.join(10)


if __name__ == "__main__":
    sys.exit(main())
