"""When to try again, and after how long."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime

_RETRIED = frozenset({429, 502, 503, 504})


def is_retried(status: int, method: str) -> bool:
    """Whether an answer of this status may be another one soon. A server that fails (500) is asked
    again where asking changes nothing: registries do while somebody writes what is asked for."""
    return status in _RETRIED or (status == 500 and method in ("GET", "HEAD"))


def retry_after(value: str, now: datetime) -> float | None:
    """The seconds that a ``Retry-After`` header asks for (RFC 9110 section 10.2.3), in either of
    its forms; None when it is absent or makes no sense."""
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def backoff(attempt: int) -> float:
    """Seconds before the attempt after number ``attempt`` (from 0): doubling, and with a random
    part, so that many verifiers do not come back at the same moment."""
    return float(0.2 * 2**attempt * (1 + random.random()))


def wait(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)
