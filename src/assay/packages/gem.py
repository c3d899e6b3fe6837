"""Packages of Ruby, known by the names of their specifications."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.model.capture import Keep
from assay.packages.fields import text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root

KIND = "gem"
_SPECIFICATION = rb"(?:.*/)?specifications/(?:default/)?[^/]+\.gemspec"
KEEP = (Keep(_SPECIFICATION, 0),)
_NAMED = re.compile(rb"(.+?)-([0-9][0-9A-Za-z.]*)(?:-(.+))?\.gemspec\Z", re.DOTALL)


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    for path, entry in root.matching(_SPECIFICATION):
        match = _NAMED.match(path.rpartition(b"/")[2])
        try:
            if match is None:
                raise UnreadableError("its name holds no version")
            name = text(match[1], "the name")
            package = Installed(
                KIND, name, text(match[2], f"the version of {name}"), files=(Owned(path),)
            )
        except UnreadableError as error:
            yield Database(KIND, path, entry.layer, problem=str(error))
        else:
            yield Database(KIND, path, entry.layer, (package,))
