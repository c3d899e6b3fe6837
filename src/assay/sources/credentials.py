"""Credentials for registries and other servers, where the tools of the field keep them.

Looked at in this order, the first that knows the registry wins: the file of --auth-file alone;
else the file of REGISTRY_AUTH_FILE alone; else ``containers/auth.json`` in XDG_RUNTIME_DIR and in
the configuration folder, and ``config.json`` in DOCKER_CONFIG (or ~/.docker). In a file: a
credential helper for the registry, an entry of ``auths`` (the longest prefix of the repository's
name), the credential store.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from assay import limits, strict_json
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.secret import Secret

if TYPE_CHECKING:
    import subprocess

_HELPER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_IDENTITY_TOKEN_USER = "<token>"
_NOT_FOUND = b"credentials not found"


class Credentials(Struct, frozen=True):
    """A user name with a password, or an identity token to be exchanged (OAuth 2 refresh token).
    ``source`` says where they were found, for people."""

    source: str
    user: Secret = Secret(b"")
    password: Secret = Secret(b"")
    identity_token: Secret = Secret(b"")

    @property
    def basic(self) -> Secret:
        """The value of an ``Authorization`` header (RFC 7617)."""
        pair = self.user.reveal() + b":" + self.password.reveal()
        return Secret(b"Basic " + base64.b64encode(pair))


class CredentialFiles:
    """Finds credentials. ``auth_file`` is the file of --auth-file, empty for the usual places."""

    def __init__(self, auth_file: str, environment: Mapping[str, str]) -> None:
        self._auth_file = auth_file
        self._environment = environment

    def find(self, registry: str, repository: str) -> Credentials | None:
        """The credentials for a repository; None to go anonymously.

        Raises UsageError for a file that cannot be understood, AssayError when a credential
        helper fails.
        """
        for path, required in self._files():
            if required or path.is_file():
                found = _find_in(_read(path), path, registry, repository)
                if found is not None:
                    return found
        return None

    def places(self) -> list[str]:
        """Where `find` looks."""
        return [str(path) for path, _ in self._files()]

    def _files(self) -> Iterator[tuple[Path, bool]]:
        """Each file, and whether it has to exist."""
        environment = self._environment
        named = self._auth_file or environment.get("REGISTRY_AUTH_FILE", "")
        if named:
            yield Path(named), True
            return
        home = Path(environment.get("HOME") or "~").expanduser()
        if runtime := environment.get("XDG_RUNTIME_DIR"):
            yield Path(runtime) / "containers" / "auth.json", False
        configuration = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        yield configuration / "containers" / "auth.json", False
        docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
        yield docker / "config.json", False


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(limits.CREDENTIAL_FILE_SIZE + 1)
    except OSError as error:
        raise UsageError(f"credentials: {path}: {error.strerror or error}") from error
    if len(data) > limits.CREDENTIAL_FILE_SIZE:
        raise UsageError(f"credentials: {path} is larger than any such file")
    try:
        return strict_json.parse_object(data, str(path))
    except AssayError as error:
        raise UsageError(f"credentials: {path}: {error.finding.detail}") from error


def _find_in(
    config: dict[str, Any], path: Path, registry: str, repository: str
) -> Credentials | None:
    candidates = _candidates(registry, repository)
    helpers = _mapping(config, "credHelpers", path)
    for candidate in candidates:
        for key, helper in helpers.items():
            if _server(key) == candidate:
                return _from_helper(helper, key, path)
    entries = _mapping(config, "auths", path)
    for candidate in candidates:
        for key, entry in entries.items():
            if _server(key) == candidate:
                found = _from_entry(entry, key, path)
                if found is not None:
                    return found
    store = config.get("credsStore")
    return _from_helper(store, registry, path) if store else None


def _mapping(config: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = config.get(name) or {}
    if not isinstance(value, dict):
        raise UsageError(f"credentials: {path}: {name} is not an object")
    return value


def _candidates(registry: str, repository: str) -> list[str]:
    """The repository's name, and all its prefixes down to the registry: longest first."""
    parts = repository.split("/")
    return ["/".join([registry, *parts[:count]]) for count in range(len(parts), -1, -1)]


def _server(key: str) -> str:
    """A key of ``auths`` without the scheme and the ``/v1/`` that old tools wrote."""
    scheme, separator, rest = key.partition("://")
    rest = rest if separator else scheme
    host, _, path = rest.rstrip("/").partition("/")
    return host.lower() if path in ("", "v1", "v2") else f"{host.lower()}/{path}"


def _from_entry(entry: Any, key: str, path: Path) -> Credentials | None:
    """An entry of ``auths``; None when it is empty (the secret is in a store)."""
    where = f"{path} (auths, {key})"

    def text(name: str) -> str:
        value = entry.get(name) or ""
        if not isinstance(value, str):
            raise UsageError(f"credentials: {where}: {name} is not a string")
        return value

    if not isinstance(entry, dict):
        raise UsageError(f"credentials: {where}: not an object")
    if token := text("identitytoken"):
        return Credentials(str(path), identity_token=Secret(token.encode()))
    user, password = text("username"), text("password")
    if encoded := text("auth"):
        try:
            decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            # the error quotes what it met, which is secret
            raise UsageError(f"credentials: {where}: auth is not base64") from None
        user, colon, password = decoded.partition(":")
        if not colon:
            raise UsageError(f"credentials: {where}: auth is not base64 of user:password")
        # some tools fill the field up with zero bytes
        password = password.rstrip("\0")
    if not user and not password:
        return None
    return Credentials(str(path), Secret(user.encode()), Secret(password.encode()))


def _from_helper(name: Any, server: str, path: Path) -> Credentials | None:
    """Ask ``docker-credential-NAME get``; None when it knows nothing of the server."""
    if not isinstance(name, str) or not _HELPER_NAME.match(name):
        raise UsageError(
            f"credentials: {path}: not the name of a credential helper: {name!r}"[:200]
        )
    program = f"docker-credential-{name}"
    import shutil

    found = shutil.which(program)
    if found is None:
        raise _unavailable(f"{program}, which {path} names for {server}, is not on the PATH")
    status, output = _run([found, "get"], server.encode(), program)
    if status != 0:
        if _NOT_FOUND in output.lower():
            return None
        raise _unavailable(f"{program} (for {server}) ended with status {status}")
    try:
        answer = strict_json.parse_object(output, program)
    except AssayError:
        # what is wrong with it may quote a secret
        raise _unavailable(f"{program} (for {server}) did not answer with JSON") from None
    user, secret = answer.get("Username"), answer.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str):
        raise _unavailable(f"{program} (for {server}) did not give Username and Secret")
    if user == _IDENTITY_TOKEN_USER:
        return Credentials(program, identity_token=Secret(secret.encode()))
    return Credentials(program, Secret(user.encode()), Secret(secret.encode()))


def _unavailable(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.CREDENTIALS_UNAVAILABLE, detail=detail))


def _run(command: list[str], given: bytes, program: str) -> tuple[int, bytes]:
    """Run a helper with bounds on its time and output, together with all that it starts."""
    import subprocess

    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise _unavailable(f"{program} cannot be started: {error.strerror}") from error
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(limits.CREDENTIAL_HELPER_SECONDS, stop)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(given)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it did not want to know; its answer tells
        output = process.stdout.read(limits.CREDENTIAL_HELPER_OUTPUT + 1)
        if len(output) > limits.CREDENTIAL_HELPER_OUTPUT:
            raise _unavailable(f"{program} writes more than any credential is long")
        status = process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            _kill(process)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if late.is_set():
        raise _unavailable(
            f"{program} gave no answer within {limits.CREDENTIAL_HELPER_SECONDS:.0f} seconds"
        )
    return status, output


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
