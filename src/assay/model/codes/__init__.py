"""The registry of finding codes.

Each module of this package holds the codes of one family as constants. All families register
under the entry point group ``assay.codes``, those of other distributions as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from assay.model.finding import Code


def codes_in(module: ModuleType) -> Iterator[Code]:
    """The codes that a family's module defines, in its order."""
    for value in vars(module).values():
        if isinstance(value, Code):
            yield value
