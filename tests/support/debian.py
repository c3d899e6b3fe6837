"""A small Debian: real packages of the machine that tests run on, with their real database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.support.images import Entry, folder, symlink

HOME = Path("/var/lib/dpkg")
PACKAGES = ("base-files", "coreutils", "dash", "debianutils", "libc6", "sed")
OS_RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


def available(packages: Sequence[str] = PACKAGES) -> bool:
    """Whether this machine is a Debian with these packages."""
    return all(_stanza(name) for name in packages)


def _stanzas() -> dict[str, bytes]:
    if not (HOME / "status").exists():
        return {}
    found: dict[str, bytes] = {}
    for stanza in (HOME / "status").read_bytes().split(b"\n\n"):
        if match := re.match(rb"Package: (\S+)\n(?:.*\n)?Status: install ok installed\n", stanza):
            found[match[1].decode()] = stanza + b"\n"
    return found


def _stanza(name: str) -> bytes:
    return _stanzas().get(name, b"")


def _info(name: str) -> list[Path]:
    return sorted(HOME.glob(f"info/{name}.*")) + sorted(HOME.glob(f"info/{name}:*.*"))


def entries(packages: Sequence[str] = PACKAGES) -> list[Entry]:
    """A layer with these packages: files, links and what dpkg knows of them."""
    found: dict[str, Entry] = {}
    for name in ("bin", "lib", "sbin", "lib64"):
        found[name] = symlink(name, f"usr/{name}")
    for package in packages:
        for line in next(p for p in _info(package) if p.suffix == ".list").read_text().split("\n"):
            path = Path(line)
            # Debian's directories that became links are given as they are in the image
            name = re.sub(r"^(bin|lib|sbin|lib64)(?=/)", r"usr/\1", line.strip("/."))
            if not name or name in found or not line:
                continue
            if path.is_symlink():
                found[name] = symlink(name, str(path.readlink()))
            elif path.is_dir():
                found[name] = folder(name)
            elif path.is_file():
                mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                found[name] = Entry(name, path.read_bytes(), mode=mode)
        for path in _info(package):
            name = f"var/lib/dpkg/info/{path.name}"
            found[name] = Entry(name, path.read_bytes())
    status = b"\n".join(_stanza(package) for package in packages)
    found["var/lib/dpkg/status"] = Entry("var/lib/dpkg/status", status)
    found["etc/os-release"] = Entry("etc/os-release", OS_RELEASE)
    return list(found.values())
