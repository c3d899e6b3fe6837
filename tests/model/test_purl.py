"""Package URLs: the specification's own examples, and what is no package URL."""

from __future__ import annotations

import pytest

from assay.model.purl import Purl


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
            Purl("deb", "debian", "curl", "7.50.3-1", {"arch": "i386", "distro": "jessie"}),
        ),
        ("pkg:npm/%40angular/animation@12.3.1", Purl("npm", "@angular", "animation", "12.3.1")),
        ("pkg:golang/google.golang.org/genproto#googleapis/api", None),
        ("PKG:Npm/foobar@12.3.1", Purl("npm", "", "foobar", "12.3.1")),
        ("pkg:deb/debian/a@1%3A2%2Bb", Purl("deb", "debian", "a", "1:2+b")),
        ("pkg://pypi/django@1.11.1", Purl("pypi", "", "django", "1.11.1")),
        ("pkg:npm/@scope/name", Purl("npm", "@scope", "name", "")),
    ],
)
def test_package_urls(text: str, expected: Purl | None) -> None:
    found = Purl.parse(text)
    if expected is not None:
        assert found == expected
    assert Purl.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "npm/a@1", "pkg:", "pkg:npm", "pkg:npm/", "pkg:n m/a", "pkg:npm/a?x", "pkg:npm/a?x=1&X=2"],
)
def test_what_is_no_package_url(text: str) -> None:
    with pytest.raises(ValueError, match="it"):
        Purl.parse(text)
