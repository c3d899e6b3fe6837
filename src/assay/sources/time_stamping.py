"""Time stamps over HTTP (RFC 3161 section 3.4): from what is to be stamped to a token."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from msgspec.structs import replace

from assay import limits
from assay.cms.timestamp import TimeAuthority
from assay.cms.timestamp_request import Question
from assay.model.finding import UsageError
from assay.sources.http.client import client_for, identity_from, read_body, refuse_offline
from assay.sources.http.faults import malformed, refused
from assay.sources.http.url import parse_url
from assay.sources.model import OpenOptions

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


def stamper(
    authority: str, options: OpenOptions, judged_by: tuple[TimeAuthority, ...] = ()
) -> Callable[[bytes, str], bytes]:
    """Gets a time stamp token of a message, over a digest by an algorithm, from the authority at a
    URL; see `Question.answered_by`. What it returns raises AssayError, UsageError."""

    def stamp(message: bytes, algorithm: str) -> bytes:
        question = Question(message, algorithm, secrets.randbits(63))
        return question.answered_by(ask(authority, question.encoded, options), judged_by)

    return stamp


def ask(authority: str, question: bytes, options: OpenOptions) -> bytes:
    """Send an encoded question to the authority at a URL; its encoded response, unchecked.

    Many authorities have no TLS, and need none: the question says nothing but a digest, and the
    response is signed and has to repeat our nonce. Raises AssayError, UsageError.
    """
    try:
        url = parse_url(authority)
    except ValueError as error:
        raise UsageError(f"--timestamp-url {authority[:200]}: {error}") from error
    refuse_offline(options, f"{url.shown} is an authority for time stamps, on the network")
    response = client_for(replace(options, plain_http=True)).request(
        url,
        {"Content-Type": _QUERY, "Accept": _REPLY},
        method="POST",
        body=question,
        identity=identity_from(options),
    )
    if response.status != 200:
        response.discard()
        raise refused(response.status, response.url)
    if response.content_type != _REPLY:
        response.discard()
        raise malformed(
            response.url,
            "what answers is no authority for time stamps",
            expected=_REPLY,
            actual=response.content_type,
        )
    return read_body(response, limits.SIGNATURE_SIZE)
