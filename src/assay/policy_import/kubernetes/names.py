"""Which images a policy is about: patterns for their names, as each tool reads them. A pattern
always has to match the whole name."""

from __future__ import annotations

import re
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from assay.sources.open import transport_of
from assay.sources.registry.names import DEFAULT_REGISTRY, name_in_registry
from assay.sources.registry.reference import Reference


class ImageNames(Struct, frozen=True):
    """The names of one image. ``full`` are those with registry and tag or digest, ``written`` is
    the name as the user has it; ``reference`` is None for an image without a name in a
    registry, which no pattern matches."""

    reference: Reference | None
    full: tuple[str, ...] = ()
    written: str = ""


def names_of(image: str) -> ImageNames:
    """The names of the image of this name, as on the command line."""
    reference = name_in_registry(image)
    if reference is None:
        return ImageNames(None)
    forms = [replace(reference, digest=None)] if reference.tag else []
    forms += [replace(reference, tag="")] if reference.digest is not None else []
    names: list[str] = []
    for form in dict.fromkeys((reference, *forms)):
        name = str(form)
        names.append(name)
        if form.registry == DEFAULT_REGISTRY:
            names.append(f"index.{name}")
            if form.repository.startswith("library/"):
                names.append(name.replace("/library/", "/", 1))
    return ImageNames(reference, tuple(names), transport_of(image)[1].removeprefix("//"))


class ImagePattern(Protocol):
    """Says whether a policy is about an image. None means that nobody knows."""

    def matches(self, names: ImageNames) -> bool | None: ...

    def describe(self) -> str: ...


class Glob(Struct, frozen=True):
    """A pattern with ``*``; with ``crossing`` it stands for any characters (and ``?`` for one), as
    Kyverno has it, else for any but ``/``, and ``**`` for any, as policy-controller has it."""

    text: str
    crossing: bool

    def describe(self) -> str:
        return self.text

    def matches(self, names: ImageNames) -> bool | None:
        pattern = _compiled(self.text, self.crossing)
        return any(pattern.fullmatch(name) for name in (*names.full, names.written) if name)


def _compiled(text: str, crossing: bool) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."} if crossing else {"**": ".*", "*": "[^/]*"}
    parts = re.split(r"([*?])" if crossing else r"(\*\*|\*)", text)
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts), re.DOTALL)


_SIGSTORE_GLOB = re.compile(r"[a-zA-Z0-9_:/*.@-]+")


def sigstore_glob(text: str) -> Glob:
    """A glob of a ClusterImagePolicy. Raises ValueError."""
    if not _SIGSTORE_GLOB.fullmatch(text):
        raise ValueError("a glob holds letters, digits and - _ : / * . @ only")
    # the two that stand for Docker Hub alone
    short = {"*": "index.docker.io/library/*", "*/*": "index.docker.io/*/*"}
    return Glob(short.get(text, text), crossing=False)


def kyverno_glob(text: str) -> Glob:
    """A pattern of Kyverno's ``imageReferences``. Raises ValueError."""
    if not text.strip() or len(text) > 1024:
        raise ValueError("a name, or a pattern for names, is expected")
    return Glob(text, crossing=True)


_GLOB_MARKS = re.compile(r"[\[\]{}\\!]")


def glob_of_library(text: str) -> Glob:
    """A glob of an ImageValidatingPolicy. Raises ValueError for what only its library knows."""
    if _GLOB_MARKS.search(text):
        raise ValueError("a glob with more than * and ? in it")
    return kyverno_glob(text)


_CEL_TEST = re.compile(
    r"""\s*ref\s*(?:\.\s*(startsWith|endsWith|contains)\s*\(\s*("[^"\\]*"|'[^'\\]*')\s*\)"""
    r"""|==\s*("[^"\\]*"|'[^'\\]*'))\s*"""
)


class CelPattern(Struct, frozen=True):
    """``ref.startsWith("...")`` and the like."""

    test: str
    text: str

    @classmethod
    def parse(cls, expression: str) -> CelPattern:
        """Raises ValueError for any other expression."""
        found = _CEL_TEST.fullmatch(expression)
        if found is None:
            raise ValueError(
                "an expression in CEL other than ref.startsWith, endsWith, contains or =="
            )
        return cls(found[1] or "==", (found[2] or found[3])[1:-1])

    def describe(self) -> str:
        return f"{self.test} {self.text!r}"

    def matches(self, names: ImageNames) -> bool | None:
        every = [name for name in (*names.full, names.written) if name]
        match self.test:
            case "startsWith":
                return any(name.startswith(self.text) for name in every)
            case "endsWith":
                return any(name.endswith(self.text) for name in every)
            case "contains":
                return any(self.text in name for name in every)
        return self.text in every


class Unknown(Struct, frozen=True):
    """A pattern that cannot be read here."""

    def describe(self) -> str:
        return "(a pattern that is not known)"

    def matches(self, names: ImageNames) -> bool | None:
        return None


class Selection(Struct, frozen=True):
    """Images that one of ``patterns`` matches, and none of ``without``. Without patterns, all."""

    patterns: tuple[ImagePattern, ...] = ()
    without: tuple[ImagePattern, ...] = ()

    def describe(self) -> str:
        """Which images it is about, in words."""
        shown = ", ".join(each.describe() for each in self.patterns) or "all"
        without = ", ".join(each.describe() for each in self.without)
        return f"for images {shown}" + (f", without {without}" if without else "")

    def matches(self, names: ImageNames) -> bool | None:
        """None where nobody knows."""
        if names.reference is None:
            return False
        if any(each.matches(names) for each in self.without):
            return False
        if not self.patterns:
            return True
        found = [each.matches(names) for each in self.patterns]
        return True if True in found else None if None in found else False
