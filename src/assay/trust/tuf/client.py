"""Gets the trusted root of an instance: from its repository, or from the copy kept here.

The rule of freshness: a copy that was compared with the repository less than a day ago is used as
it is, without a connection. An older one is refreshed first; where the repository cannot be
reached, it counts until its metadata expires, and the verdict says so. Whatever else is wrong with
what a repository offers ends the matter: then nothing is fallen back on. Expired metadata never
counts. The workflow itself (TUF specification, section 5) is that of python-tuf.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from assay.model.codes import network
from assay.model.codes import tuf as codes
from assay.model.codes.content import NOT_FOUND
from assay.model.finding import AssayError, Finding, UsageError
from assay.printable import printable
from assay.sources.model import OpenOptions
from assay.trust.tuf.instances import Instance, write

if TYPE_CHECKING:
    from assay.trust.tuf.workflow import Roles

FRESH = timedelta(days=1)
"""How long a copy is used without asking the repository again."""


_OUTAGES = {
    code.name
    for code in (
        NOT_FOUND,
        network.DENIED,
        network.RATE_LIMITED,
        network.SERVER_ERROR,
        network.TIMEOUT,
        network.TLS_FAILED,
        network.TRANSFER_INCOMPLETE,
        network.UNREACHABLE,
    )
}
"""What says that a repository cannot be reached, and nothing of what it offers."""


class Obtained(Struct, frozen=True):
    """The trusted root's bytes, verified. ``checked`` is when the copy was last compared with the
    repository (None where that is not known), ``roles`` what its metadata says of itself."""

    data: bytes
    checked: datetime | None
    roles: Roles
    findings: tuple[Finding, ...] = ()


def obtain(
    instance: Instance, now: datetime, options: OpenOptions, *, fresh: timedelta = FRESH
) -> Obtained:
    """The trusted root, by the rule above; ``options.offline`` uses the copy alone. Expiry is
    judged at ``now``. Raises AssayError, UsageError."""
    with _held(instance):
        checked = _checked(instance)
        if options.offline:
            found = _from_copy(instance, now)
            return _with(found, checked, _offline_note(instance, found, checked))
        if checked is not None and timedelta(0) <= datetime.now(UTC) - checked < fresh:
            try:
                return _with(_from_copy(instance, now), checked)
            except AssayError:
                pass  # what is wrong with the copy, the repository can mend
        try:
            return _refresh(instance, now, options)
        except AssayError as error:
            if error.finding.code not in _OUTAGES:
                raise
            try:
                found = _from_copy(instance, now)
            except AssayError:
                unreachable = Finding.of(codes.TUF_UNREACHABLE, detail=error.finding.detail)
                raise AssayError(unreachable) from error
            return _with(found, checked, _outage_note(instance, found, error.finding))


def update(instance: Instance, now: datetime, options: OpenOptions) -> Obtained:
    """Refresh the copy in any case. Raises AssayError, UsageError."""
    with _held(instance):
        return _refresh(instance, now, options)


def look(instance: Instance, now: datetime) -> Obtained:
    """What the copy has, without a connection. Raises AssayError, UsageError."""
    with _held(instance):
        return _with(_from_copy(instance, now), _checked(instance))


def check_root(data: bytes) -> None:
    """Whether trust can start at this root. Raises ValueError, UsageError."""
    _need_library()
    from assay.trust.tuf.workflow import check_root as check

    check(data)


def _refresh(instance: Instance, now: datetime, options: OpenOptions) -> Obtained:
    _need_library()
    from assay.trust.tuf.fetchers import MirrorFetcher
    from assay.trust.tuf.workflow import run

    data, roles = run(instance, now, MirrorFetcher(options))
    checked = datetime.now(UTC).replace(microsecond=0)
    write(instance.copy / "checked", checked.isoformat().encode())
    return Obtained(data, checked, roles)


def _from_copy(instance: Instance, now: datetime) -> Obtained:
    _need_library()
    from assay.trust.tuf.fetchers import CopyFetcher
    from assay.trust.tuf.workflow import run

    if not (instance.copy / "metadata" / "timestamp.json").exists():
        raise AssayError(
            Finding.of(codes.TUF_NEVER_FETCHED, detail=f"there is no copy of {instance.mirror}")
        )
    fetcher = CopyFetcher(instance.copy / "metadata", f"{instance.mirror}/")
    data, roles = run(instance, now, fetcher)
    return Obtained(data, None, roles)


def _need_library() -> None:
    from importlib.util import find_spec

    if find_spec("tuf") is None:
        raise UsageError(
            "trusted roots through TUF need the package tuf: pip install 'assay[tuf]'; or give the"
            " trusted root as a file"
        )


def _with(found: Obtained, checked: datetime | None, *notes: Finding) -> Obtained:
    return Obtained(found.data, checked, found.roles, (*found.findings, *notes))


def _offline_note(instance: Instance, found: Obtained, checked: datetime | None) -> Finding:
    if checked is None:
        since = "at a time that is not known"
    else:
        since = f"on {checked:%Y-%m-%d %H:%M} UTC, {age(datetime.now(UTC) - checked)} ago"
    return Finding.of(
        codes.TUF_FROM_COPY,
        detail=f"{instance.mirror} was last asked {since}; the copy counts until"
        f" {found.roles.until:%Y-%m-%d %H:%M} UTC",
    )


def _outage_note(instance: Instance, found: Obtained, why: Finding) -> Finding:
    return Finding.of(
        codes.TUF_NOT_REFRESHED,
        detail=f"{why.detail}; the copy of {instance.mirror} counts until"
        f" {found.roles.until:%Y-%m-%d %H:%M} UTC",
    )


def age(span: timedelta) -> str:
    """A length of time for people: the two largest units at most."""
    if span < timedelta(0):
        return "less than nothing"
    minutes = int(span.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _checked(instance: Instance) -> datetime | None:
    try:
        value = datetime.fromisoformat((instance.copy / "checked").read_text("ascii"))
    except (OSError, ValueError):
        return None
    return value if value.tzinfo is not None else None


@contextmanager
def _held(instance: Instance) -> Iterator[None]:
    """One process at a time works with a copy. Raises UsageError when there can be none."""
    place: Path = instance.copy
    try:
        for part in (place, place / "metadata", place / "targets"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (place / "lock").open("w") as lock:
            try:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            except ImportError:
                pass  # elsewhere than on POSIX: updates replace files at once
            yield
    except OSError as error:
        raise UsageError(f"{printable(str(place))}: {error.strerror or error}") from error
