"""Packages of npm: the ``package.json`` of each directory in a ``node_modules``."""

from __future__ import annotations

from collections.abc import Iterator

from assay import strict_json
from assay.model.capture import Keep
from assay.model.finding import AssayError
from assay.packages.fields import MANIFEST_LIMIT, refused, text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root

KIND = "npm"
_MANIFEST = rb"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@.][^/]*/package\.json"
KEEP = (Keep(_MANIFEST, MANIFEST_LIMIT),)


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    for path, entry in root.matching(_MANIFEST):
        if entry.content is None:
            yield refused(KIND, path, entry)
            continue
        try:
            package = _package(path, entry.content)
        except UnreadableError as error:
            yield Database(KIND, path, entry.layer, problem=str(error))
        except AssayError as error:
            yield Database(KIND, path, entry.layer, problem=error.finding.detail)
        else:
            yield Database(KIND, path, entry.layer, (package,))


def _package(path: bytes, content: bytes) -> Installed:
    value = strict_json.parse_object(content, "")
    name, version = value.get("name"), value.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        raise UnreadableError("it has no name or no version")
    scope, _, base = text(name.encode(), "the name").rpartition("/")
    return Installed(
        KIND,
        text(base.encode(), "the name"),
        text(version.encode(), f"the version of {name[:80]}"),
        namespace=scope,
        files=(Owned(path),),
    )
