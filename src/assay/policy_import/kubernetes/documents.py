"""The objects in a file: one or several YAML documents, or lists of objects in them."""

from __future__ import annotations

from msgspec import Struct

from assay import limits
from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.model import Meaning
from assay.strict_yaml import Node, parse_all

LINE_ENDS = (b"\n", b"\r")


class Object(Struct, frozen=True):
    """One object. ``group`` and ``version`` are the parts of its ``apiVersion``."""

    group: str
    version: str
    kind: str
    name: str
    fields: Fields

    @property
    def scope(self) -> str:
        return f"{self.kind}/{self.name}"

    def note(self, where: str, line: int, text: str) -> Meaning:
        """A remark on what concerns no signature."""
        return Meaning(where, text, False, self.scope, line, aside=True)


def read_objects(data: bytes) -> list[Object]:
    """Raises AssayError."""
    found: list[Object] = []
    for node in parse_all(data, ""):
        _add(node, found, depth=0)
    seen: dict[tuple[str, str, str], int] = {}
    for one in found:
        namespace = one.fields.object("metadata").text("namespace", "")
        key = (one.kind, namespace, one.name)
        if key in seen:
            # a cluster would keep the last of them, whoever reads sees the first
            raise one.fields.fail("", f"{one.scope} stands there twice, first in line {seen[key]}")
        seen[key] = one.fields.line
    return found


def _add(node: Node, found: list[Object], depth: int) -> None:
    top = Fields(node, "")
    group, _, version = top.text("apiVersion").rpartition("/")
    kind = top.text("kind")
    if kind.endswith("List") and top.has("items") and depth < limits.NESTING:
        for item in top.entries("items"):
            _add(item, found, depth + 1)
        return
    name = top.object("metadata").text("name")
    scope = f"{kind}/{name}"
    found.append(Object(group, version, kind, name, Fields(node, scope)))
