"""One run of the TUF client workflow, and from python-tuf's errors to findings."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from assay import limits
from assay.evidence.model import read_bounded
from assay.model.codes import tuf as codes
from assay.model.finding import AssayError, Code, Finding
from assay.printable import printable
from assay.trust.tuf.fetchers import Fetcher, MirrorFetcher
from assay.trust.tuf.instances import Instance

_TOP = (Root.type, Timestamp.type, Snapshot.type, Targets.type)

_CONFIG = UpdaterConfig(
    max_root_rotations=limits.TUF_ROOTS,
    max_delegations=limits.TUF_DELEGATIONS,
    root_max_length=limits.TUF_ROOT_SIZE,
    timestamp_max_length=limits.TUF_TIMESTAMP_SIZE,
    snapshot_max_length=limits.TUF_SNAPSHOT_SIZE,
    targets_max_length=limits.TUF_TARGETS_SIZE,
)


class Role(Struct, frozen=True):
    """One of the four top-level roles, as its metadata says."""

    name: str
    version: int
    expires: datetime


class Roles(Struct, frozen=True):
    """The roles behind a trusted root."""

    all: tuple[Role, ...]

    @property
    def until(self) -> datetime:
        """When the first of them expires."""
        return min(role.expires for role in self.all)


class _Session(Updater):
    """python-tuf's client, judging expiry at a time of our choice."""

    def __init__(self, instance: Instance, now: datetime, fetcher: Fetcher) -> None:
        super().__init__(
            str(instance.copy / "metadata"),
            f"{instance.mirror}/",
            str(instance.copy / "targets"),
            f"{instance.mirror}/targets/",
            fetcher,
            _CONFIG,
            bootstrap=instance.root,
        )
        self._trusted_set.reference_time = now

    def role(self, name: str) -> Signed | None:
        """The metadata of a role, if any was accepted, be it expired."""
        found: Signed | None = self._trusted_set.get(name)
        return found


def check_root(data: bytes) -> None:
    """Whether trust can start at this root: it can be read, and is signed by its own keys. Raises
    ValueError, which says why not."""
    try:
        root: Metadata[Root] = Metadata.from_bytes(data)
        if not isinstance(root.signed, Root):
            raise ValueError(f"it is the metadata of {root.signed.type}, and no root")
        root.verify_delegate(Root.type, root)
    except exceptions.RepositoryError as error:
        why = f": {error.__cause__}" if error.__cause__ is not None else ""
        raise ValueError(printable(f"{error}{why}", 300)) from error


def run(instance: Instance, now: datetime, fetcher: Fetcher) -> tuple[bytes, Roles]:
    """The verified trusted root of an instance, and the roles behind it. Raises AssayError."""
    session: _Session | None = None
    try:
        session = _Session(instance, now, fetcher)
        session.refresh()
        data = _target(session, instance)
    except exceptions.DownloadHTTPError as error:
        reason = fetcher.reason if isinstance(fetcher, MirrorFetcher) else None
        raise reason or AssayError(
            Finding.of(codes.TUF_INCONSISTENT, detail=_told(instance, str(error)))
        ) from error
    except exceptions.RepositoryError as error:
        raise AssayError(_explained(instance, now, session, fetcher, error)) from error
    except exceptions.DownloadError as error:
        raise AssayError(
            Finding.of(codes.TUF_MALFORMED, detail=_told(instance, str(error)))
        ) from error
    roles = (session.role(name) for name in _TOP)
    return data, Roles(tuple(Role(r.type, r.version, r.expires) for r in roles if r is not None))


def _target(session: _Session, instance: Instance) -> bytes:
    """The file itself: kept where it is right, fetched where it is not."""
    info = session.get_targetinfo(instance.target)
    if info is None:
        raise exceptions.RepositoryError(f"there is no target {instance.target}")
    if info.length > limits.TRUSTED_ROOT_SIZE:
        raise AssayError(
            Finding.of(
                codes.TUF_MALFORMED,
                detail=_told(instance, f"{instance.target} is too large for a trusted root"),
                expected=f"at most {limits.TRUSTED_ROOT_SIZE} bytes",
                actual=f"{info.length} bytes",
            )
        )
    path = session.find_cached_target(info) or session.download_target(info)
    with open(path, "rb") as file:  # noqa: PTH123 - python-tuf names it as text
        data = file.read(info.length + 1)
    info.verify_length_and_hashes(data)  # of what is used, and not only of what was written
    return data


def _explained(
    instance: Instance,
    now: datetime,
    session: _Session | None,
    fetcher: Fetcher,
    error: exceptions.RepositoryError,
) -> Finding:
    """The finding for what is wrong with a repository, or with the copy of it."""
    code, expected, actual = _code_of(instance, fetcher, error), "", ""
    said = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
    if isinstance(error, exceptions.ExpiredMetadataError) and session is not None:
        for name in reversed(_TOP):
            role = session.role(name)
            if role is not None and role.is_expired(now):
                said = f"{name}, version {role.version}, has expired"
                expected = f"valid at {now:%Y-%m-%d %H:%M} UTC"
                actual = f"valid until {role.expires:%Y-%m-%d %H:%M} UTC"
                break
    return Finding.of(code, detail=_told(instance, said), expected=expected, actual=actual)


def _code_of(instance: Instance, fetcher: Fetcher, error: exceptions.RepositoryError) -> Code:
    if isinstance(error, exceptions.ExpiredMetadataError):
        return codes.TUF_EXPIRED
    if isinstance(error, exceptions.UnsignedMetadataError):
        return codes.TUF_UNSIGNED
    if isinstance(error, exceptions.LengthOrHashMismatchError):
        return codes.TUF_INCONSISTENT
    if _is_older(instance, fetcher.last):
        return codes.TUF_ROLLBACK
    if isinstance(error, exceptions.BadVersionNumberError):
        return codes.TUF_INCONSISTENT
    return codes.TUF_MALFORMED


def _is_older(instance: Instance, data: bytes) -> bool:
    """Whether metadata that was refused is older than what was accepted before, or lists something
    older, or lacks what was listed."""
    try:
        new = Metadata.from_bytes(data).signed
        path = instance.copy / "metadata" / f"{new.type}.json"
        old = Metadata.from_bytes(read_bounded(path, limits.TUF_TARGETS_SIZE, "the copy")).signed
    except Exception:
        # whatever keeps it from being compared: then it is not known to be older
        return False
    if new.version < old.version:
        return True
    if isinstance(old, Timestamp) and isinstance(new, Timestamp):
        older: bool = new.snapshot_meta.version < old.snapshot_meta.version
        return older
    if isinstance(old, Snapshot) and isinstance(new, Snapshot):
        return any(
            name not in new.meta or new.meta[name].version < meta.version
            for name, meta in old.meta.items()
        )
    return False


def _told(instance: Instance, what: str) -> str:
    return printable(f"{instance.mirror}: {what}", 400)
