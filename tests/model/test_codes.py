"""Finding codes: one meaning each."""

from __future__ import annotations

from collections import Counter

from assay import plugins
from assay.model.codes import codes_in


def test_no_two_codes_have_one_name() -> None:
    names = Counter(
        name
        for _, module in plugins.each("assay.codes")
        for name in {code.name for code in codes_in(module)}
    )
    shared = {name for name, count in names.items() if count > 1}
    assert not shared
