"""Linux kernels and their modules."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.inputs import MIB, Inputs, flip_a_bit
from benchmarks.work import Contender, Goal, Work, assay, benchmark, shell

BOOT = Path(__file__).resolve().parents[2] / ".cache" / "boot"
"""Debian's kernel and its modules, where scripts/boot-binaries has fetched them."""
MODULES = 1121

_OPENSSL = """
for signature in "$1"/*.p7s; do
  openssl cms -verify -binary -inform DER -in "$signature" -content "${signature%.p7s}.content" \
    -certfile "$1/key.pem" -noverify -nointern -out /dev/null 2>/dev/null || exit 1
done
"""


@benchmark("kernel-modules")
def kernel_modules(inputs: Inputs) -> Work:
    """All modules of a kernel, with the keys that are built into it."""
    count = max(4, int(MODULES * inputs.factor))

    def build(folder: Path) -> None:
        (folder / "modules").mkdir()
        (folder / "parts").mkdir()
        (folder / "damaged").mkdir()
        found = sorted(BOOT.glob("lib/modules/**/*.ko"))[:count]
        kernels = sorted(BOOT.rglob("vmlinuz-*"))
        if found and kernels:
            shutil.copyfile(kernels[0], folder / "kernel")
            for number, path in enumerate(found):
                shutil.copyfile(path, folder / "modules" / f"{number}-{path.name}")
        else:
            _made(folder, count)
        _parts(folder)
        first = min((folder / "modules").iterdir())
        flip_a_bit(first, folder / "damaged" / first.name)

    made = inputs.make("kernel-modules", build)
    total = len(list((made / "modules").iterdir()))
    kernel = ("--kernel", made / "kernel")
    damaged = Contender("assay", assay("verify", made / "damaged", *kernel), status=1)
    return Work(
        f"{total} kernel modules",
        assay("verify", made / "modules", *kernel),
        [
            Contender(
                "openssl cms, one by one",
                shell(_OPENSSL, made / "parts"),
                ("openssl",),
                note="signatures and contents are apart already, and the key is known",
            )
        ],
        [Goal("openssl cms, one by one", ratio=1 / 5), Goal(peak=400 * MIB)],
        [damaged],
    )


def _made(folder: Path, count: int) -> None:
    """Modules of 80 KiB made in code, where there are no genuine ones."""
    from tests.support import modules

    holder = modules.signing_key()
    (folder / "kernel").write_bytes(modules.kernel(modules.key_list(holder)))
    for number in range(count):
        text = number.to_bytes(4, "big") * 20_000
        made = modules.signed(holder, modules.module(f"m{number}", text=text))
        (folder / "modules" / f"{number}.ko").write_bytes(made)


def _parts(folder: Path) -> None:
    """What openssl takes: the signature, what is signed, and the certificate as PEM."""
    import base64

    from assay.linux.keyring import read_keyring

    data = (folder / "kernel").read_bytes()
    _, keyring = read_keyring(lambda at, length: data[at : at + length], len(data))
    text = base64.encodebytes(keyring.keys[0].certificate.der).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
    (folder / "parts" / "key.pem").write_text(pem)
    for path in (folder / "modules").iterdir():
        module = path.read_bytes()
        end = len(module) - 40 - int.from_bytes(module[-32:-28], "big")
        (folder / "parts" / f"{path.stem}.content").write_bytes(module[:end])
        (folder / "parts" / f"{path.stem}.p7s").write_bytes(module[end:-40])
