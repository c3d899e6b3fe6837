"""Pattern lists (ssh_config(5), "PATTERNS"): ``*``, ``?``, and ``!`` in front to exclude."""

from __future__ import annotations


def _matches(text: str, pattern: str) -> bool:
    """Without backtracking further than to the last ``*``, so that no pattern takes long."""
    at = position = 0
    star = mark = -1
    while at < len(text):
        if position < len(pattern) and pattern[position] == "*":
            star, mark = position, at
            position += 1
        elif position < len(pattern) and pattern[position] in ("?", text[at]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = mark, star + 1
        else:
            return False
    return all(char == "*" for char in pattern[position:])


def in_list(text: str, patterns: str) -> bool:
    """Whether a comma separated list has a pattern for ``text``, and none that excludes it."""
    found = False
    for pattern in patterns.split(","):
        if pattern.startswith("!"):
            if _matches(text, pattern[1:]):
                return False
        elif _matches(text, pattern):
            found = True
    return found


def literals(patterns: str) -> list[str]:
    """The names that a list spells out, and does not exclude."""
    return [
        name
        for name in dict.fromkeys(patterns.split(","))
        if name and name[0] != "!" and not set(name) & set("*?") and in_list(name, patterns)
    ]
