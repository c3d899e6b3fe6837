"""Regular expressions of Go, in which these policies are written, as our own. They have to match
the whole of a name here, where Go finds them anywhere in it: ``https://github.com/ours/`` would
match ``https://evil.example/?https://github.com/ours/``.

Only what means the same in both languages is taken over (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re

from assay.model.identity import NamePattern

_TOKEN = re.compile(
    r"""
    \\(?:[dDwWsSbBAnrtfv]|x[0-9A-Fa-f]{2}|[^A-Za-z0-9])   # escapes that both have
    | \(\?:|\(\?P<[A-Za-z_]\w*>|\((?!\?)|\)               # groups
    | \[\^?\]?(?:\\(?:[dDwWsSnrtfv]|[^A-Za-z0-9])|(?!--|&&|\|\||~~)[^\]\\\[])*\]   # classes
    | \{[0-9]{1,3}(?:,[0-9]{0,3})?\}[?]?
    | [*+?][?]?
    | [^\\()\[\]{}*+?]
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_FLAGS = re.compile(r"\(\?([is]+)\)")


def read_regexp(text: str) -> NamePattern:
    """The pattern for a whole name. Raises ValueError, saying what is wrong or is not taken
    over."""
    if not text:
        raise ValueError("it is empty")
    flags, rest = "a", text
    if lead := _FLAGS.match(text.lstrip("^")):
        if text[: text.index("(")] not in ("", "^"):
            raise ValueError("flags that do not stand at its beginning")
        flags += "".join(sorted(set(lead[1])))
        rest = text.lstrip("^")[lead.end() :]
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if token is None:
            raise ValueError(
                f"what stands at character {at + 1 + len(text) - len(rest)} is not read"
            )
        at = token.end()
    return NamePattern.parse(f"regex:(?{flags}:{rest})")
