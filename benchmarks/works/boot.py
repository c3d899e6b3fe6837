"""Signed boot binaries."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.inputs import MIB, Inputs, flip_a_bit, random_pieces
from benchmarks.work import Contender, Goal, Work, assay, benchmark
from tests.support.pe import Program

SIZE = 14 * MIB
_SECONDS = 0.25


@benchmark("signed-kernel", "sbsign", "openssl")
def signed_kernel(inputs: Inputs) -> Work:
    """A program as large as a kernel, signed with sbsign."""
    size = inputs.size(SIZE) // 4096 * 4096

    def build(folder: Path) -> None:
        text = b"".join(bytes(piece) for piece in random_pieces(size))
        (folder / "unsigned").write_bytes(Program(sections=((".text", None, text),)).unsigned())
        key, certificate = folder / "signer.key", folder / "signer.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Owner"]
        made += ["-days", "3650", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(made, check=True, capture_output=True)
        sign = ["sbsign", "--key", key, "--cert", certificate, "--output", folder / "kernel"]
        subprocess.run([*sign, folder / "unsigned"], check=True, capture_output=True)
        flip_a_bit(folder / "kernel", folder / "damaged")

    made = inputs.make("signed-kernel", build)
    kernel, certificate = str(made / "kernel"), str(made / "signer.pem")
    sbverify = ["sbverify", "--cert", certificate, kernel]
    osslsigncode = ["osslsigncode", "verify", "-CAfile", certificate, "-in", kernel]
    return Work(
        f"a signed kernel of {size / MIB:.4g} MiB",
        assay("verify", kernel, "--ca", certificate),
        [
            Contender("sbverify", sbverify, ("sbverify",)),
            Contender("osslsigncode verify", osslsigncode, ("osslsigncode",)),
            Contender(
                "pesign -h", ["pesign", "-h", "-i", kernel], ("pesign",), note="the digest alone"
            ),
        ],
        [Goal(cpu=_SECONDS), Goal(peak=64 * MIB)],
        [Contender("assay", assay("verify", made / "damaged", "--ca", certificate), status=1)],
    )
