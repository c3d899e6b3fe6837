"""The policies in the documentation are ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay.policy.merge import merge
from assay.policy.reading import read

DOCS = Path(__file__).parents[2] / "docs"
POLICIES = [
    (path.name, text)
    for path in sorted(DOCS.rglob("*.md"))
    for text in re.findall(r"^```yaml\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)
    if "assay-policy:" in text
]


@pytest.mark.parametrize(("page", "text"), POLICIES, ids=[page for page, _ in POLICIES])
def test_policies_shown_can_be_read(page: str, text: str) -> None:
    assert merge([read(text.encode(), page)]).policy.rules
