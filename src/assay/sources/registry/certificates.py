"""Certificates kept for one registry in a ``certs.d`` folder, as the field's engines keep them.

``certs.d/HOST[:PORT]/`` holds authorities (``*.crt``) and a client's certificate with its key
(``*.cert`` and ``*.key`` of the same name).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.model.finding import UsageError
from assay.sources.http.tls import TlsIdentity


def identity_of(registry: str, given: TlsIdentity, environment: Mapping[str, str]) -> TlsIdentity:
    """How a registry is met: with what the command line gives, and with the first folder that
    exists for it. Raises UsageError for a certificate without its key."""
    folder = next((path for path in _folders(registry, environment) if path.is_dir()), None)
    if folder is None:
        return given
    try:
        names = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from error
    authorities = [str(path) for path in names if path.suffix == ".crt"]
    certificate, key = given.certificate, given.key
    for path in names:
        if path.suffix == ".cert" and not certificate:
            certificate, key = str(path), str(path.with_suffix(".key"))
            if not Path(key).is_file():
                raise UsageError(f"{path}: its key {key} is missing")
    return TlsIdentity((*given.authorities, *authorities), certificate, key)


def _folders(registry: str, environment: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environment.get("HOME") or "~").expanduser()
    configuration = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    for base in (configuration, Path("/etc")):
        for engine in ("containers", "docker"):
            yield base / engine / "certs.d" / registry
