"""One signed image in a registry: signature and content, against programs that check less."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.inputs import Inputs, LayoutWriter, real_layers
from benchmarks.work import Contender, Goal, Work, assay, benchmark
from tests.signatures.openpgp.support import gnupg
from tests.support.peers import docker_registry

_SIGNER = "Publisher <publisher@example.test>"
_TOOLS = ("docker-registry", "skopeo", "gpg")


@dataclass(frozen=True)
class _Bench:
    """An image in a registry that runs until this process ends, with a signature of cosign's older
    form beside it and one by GnuPG in lookaside storage; keys and policies are in the folder."""

    folder: Path
    image: str


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, check=True, env=os.environ | environment)


def _policy(folder: Path, name: str, key: str) -> None:
    rule = {
        "type": "signedBy",
        "keyType": "GPGKeys",
        "keyPath": str(folder / key),
        "signedIdentity": {"type": "matchRepository"},
    }
    (folder / name).write_text(json.dumps({"default": [rule]}))


@cache
def _bench(size: int) -> _Bench:
    """``size`` is that of the image, compressed, in bytes."""
    from assay.produce.keys import pkcs8
    from assay.produce.keys.kinds import generate

    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    address, _ = stack.enter_context(docker_registry(folder / "registry"))
    writer = LayoutWriter(folder / "layout")
    real_layers(writer, size, 2)
    writer.finish()
    (folder / "registries.d").mkdir()
    (folder / "registries.d" / "default.yaml").write_text(
        f"default-docker:\n  lookaside: file://{folder / 'lookaside'}\n"
        f"  lookaside-staging: file://{folder / 'lookaside'}\n"
    )
    image = f"{address}/app:1"
    with gnupg() as gpg:
        for who, key in ((_SIGNER, "ours.gpg"), ("Other <other@example.test>", "other.gpg")):
            gpg.make(who, "rsa2048")
            (folder / key).write_bytes(gpg.export(who))
            _policy(folder, f"{key}.json", key)
        _run(
            *("skopeo", "--insecure-policy", "--registries.d", str(folder / "registries.d")),
            *("copy", "-q", "--dest-tls-verify=false", "--sign-by", _SIGNER),
            *(f"oci:{folder / 'layout'}:image", f"docker://{image}"),
            GNUPGHOME=str(gpg.home),
        )
    for name in ("ours", "other"):
        key = generate("ecdsa-p256")
        (folder / f"{name}.key").write_bytes(pkcs8.FORM.write(key, None))
        (folder / f"{name}.key").chmod(0o600)
        (folder / f"{name}.pub").write_bytes(pkcs8.FORM.write_public(key))
    sign = ("sign", "-q", "--format", "simple-signing", "--key", str(folder / "ours.key"))
    _run(*assay(*sign, f"docker://{image}"))
    (folder / "root.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    return _Bench(folder, image)


@benchmark("signed-image", *_TOOLS)
def signed_image(inputs: Inputs) -> Work:
    """An image signed by a key: signature and content, against cosign, which leaves out layers."""
    size = inputs.size(10_000_000, 100_000)
    bench = _bench(size)

    def ours(key: str) -> list[str]:
        return assay("verify", f"docker://{bench.image}", "--key", bench.folder / key)

    cosign = ["cosign", "verify", "--key", str(bench.folder / "ours.pub")]
    cosign += ["--trusted-root", str(bench.folder / "root.json"), "--insecure-ignore-tlog"]
    cosign += ["--new-bundle-format=false", "--allow-http-registry", bench.image]
    return Work(
        f"a key-signed image of {size / 1e6:.2g} MB in a registry on this machine",
        ours("ours.pub"),
        [Contender("cosign verify", cosign, ("cosign",), note="no layers")],
        [Goal("cosign verify", ratio=1)],
        [Contender("assay", ours("other.pub"), status=1)],
    )


@benchmark("signed-image-policy", *_TOOLS)
def signed_image_policy(inputs: Inputs) -> Work:
    """The same image by a policy that asks for a GnuPG signature, against skopeo copy."""
    bench = _bench(inputs.size(10_000_000, 100_000))
    target = bench.folder / "copied"
    places = str(bench.folder / "registries.d")
    name = f"docker://{bench.image}"

    def ours(key: str) -> list[str]:
        return assay(
            "verify", name, "--policy", bench.folder / f"{key}.json", "--registries-d", places
        )

    skopeo = ["skopeo", "--policy", str(bench.folder / "ours.gpg.json"), "--registries.d", places]
    skopeo += ["copy", "-q", "--src-tls-verify=false", "--remove-signatures", name, f"dir:{target}"]
    return Work(
        "the same image, signed with GnuPG, by a containers-policy.json",
        ours("ours.gpg"),
        [
            Contender(
                "skopeo copy",
                skopeo,
                before=partial(shutil.rmtree, target, ignore_errors=True),
                note="no diffIDs; also writes the blobs",
            )
        ],
        [Goal("skopeo copy", ratio=1)],
        [Contender("assay", ours("other.gpg"), status=1)],
    )
