"""Options of ``assay sign`` for signatures of the Notary Project."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from assay.cli.help import Command, grouped
from assay.model.finding import UsageError
from assay.sources.model import OpenOptions

if TYPE_CHECKING:
    from assay.produce.notary import NotaryWishes

_DURATION = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def notary_options(command: Command) -> Command:
    """By which certificates, until when, and who says when."""
    return grouped(
        "Signatures of the Notary Project",
        click.option(
            "--certificate",
            multiple=True,
            metavar="FILE",
            help="The certificate of the key, and those up to its root (PEM or DER).",
        ),
        click.option(
            "--expiry",
            default="",
            metavar="TIME",
            help="Until when the signature counts: RFC 3339, or 90m, 24h, 365d from now.",
        ),
        click.option(
            "--timestamp-url",
            default="",
            metavar="URL",
            help="Get a time stamp (RFC 3161) from this authority.",
        ),
        click.option(
            "--tsa-ca",
            default="",
            metavar="FILE",
            help="The authority of --timestamp-url; refuse a time stamp of anyone else.",
        ),
    )(command)


def notary_from(given: dict[str, Any], options: OpenOptions) -> NotaryWishes | None:
    """What these options say; None where none was given. Raises UsageError."""
    url, authority = given["timestamp_url"], given["tsa_ca"]
    if authority and not url:
        raise UsageError("--tsa-ca says who makes the time stamp; give --timestamp-url as well")
    if not (given["certificate"] or given["expiry"] or url):
        return None
    from assay.produce.notary_wishes import notary_wishes

    expiry = expiry_from(given["expiry"], datetime.now(UTC))
    return notary_wishes(given["certificate"], expiry, url, authority, options)


def expiry_from(text: str, now: datetime) -> datetime | None:
    """A time, or how long from now; None for nothing. Raises UsageError."""
    if not text:
        return None
    try:
        if match := _DURATION.fullmatch(text):
            return now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        value = datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--expiry {text}: neither an RFC 3339 time nor a duration such as 24h or 365d"
        ) from error
