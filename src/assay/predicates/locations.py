"""Locations of source code as provenance writes them: SPDX download locations (SPDX 2.3 section
7.7), and those of BuildKit with the revision as a fragment."""

from __future__ import annotations


def split(uri: str) -> tuple[str, str]:
    """``git+https://host/path@revision`` as the location without ``git+``, and the revision; the
    same for ``https://host/path#revision:directory``.

    An ``@`` before the path is a user's name, and part of the location. Of several in the path the
    last one counts, so that no revision can be named in a way that makes another location of it.
    """
    if not uri.startswith("git+"):
        location, _, fragment = uri.partition("#")
        return location, fragment.partition(":")[0]
    location = uri.removeprefix("git+").partition("#")[0]
    scheme = location.find("://")
    path = location.find("/", scheme + 3 if scheme >= 0 else 0)
    at = location.rfind("@")
    if path < 0 or at < path:
        return location, ""
    return location[:at], location[at + 1 :]
