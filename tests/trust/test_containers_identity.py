"""The rules for names in containers-policy.json, each with what it lets pass and what not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sources.registry.names import complete
from assay.trust.containers.identity import (
    ExactReference,
    ExactRepository,
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    RemapIdentity,
    SignedName,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER_DIGEST = "sha256:" + "fedcba9876543210" * 4
A = "registry.test/app"
RULES: list[SignedName] = [
    MatchExact(),
    MatchRepoDigestOrExact(),
    MatchRepository(),
    RemapIdentity(A, A),
]


@pytest.mark.parametrize(
    ("used", "signed", "exact", "digest_or_exact", "repository"),
    [
        (f"{A}:1", f"{A}:1", True, True, True),
        (f"{A}:1", f"{A}:2", False, False, True),
        (f"{A}:1", A, False, False, True),
        (f"{A}:1", f"{A}@{DIGEST}", False, False, True),
        (f"{A}@{DIGEST}", f"{A}@{DIGEST}", True, True, True),
        (f"{A}@{DIGEST}", f"{A}:1", False, True, True),
        (f"{A}@{DIGEST}", f"{A}@{OTHER_DIGEST}", False, True, True),
        (f"{A}@{DIGEST}", A, False, False, True),
        (f"{A}:1", "registry.test/application:1", False, False, False),
        (f"{A}:1", "registry.test/app/sub:1", False, False, False),
        (f"{A}:1", "registry.test:443/app:1", False, False, False),
        (f"{A}:1", "other.test/app:1", False, False, False),
        (f"{A}:1", "app:1", False, False, False),
        (f"{A}:1", "", False, False, False),
        (f"{A}:1", "registry.test/App:1", False, False, False),
        (f"{A}:1", f"{A}:1 ", False, False, False),
        (f"{A}:1", f"{A}:1\n", False, False, False),
        ("busybox:1", "docker.io/library/busybox:1", True, True, True),
        ("busybox:1", "index.docker.io/library/busybox:1", True, True, True),
        ("docker.io/busybox:1", "busybox:1", True, True, True),
        ("busybox:1", "docker.io/other/busybox:1", False, False, False),
    ],
)
def test_a_name_matches_as_its_rule_says(
    used: str, signed: str, exact: bool, digest_or_exact: bool, repository: bool
) -> None:
    name = complete(used)
    assert MatchExact().admits(name, signed) is exact
    assert MatchRepoDigestOrExact().admits(name, signed) is digest_or_exact
    assert MatchRepository().admits(name, signed) is repository


@pytest.mark.parametrize("rule", RULES)
def test_an_image_without_a_name_matches_nothing(rule: SignedName) -> None:
    assert not rule.admits(None, f"{A}:1")
    assert "does not have" in rule.describe(None)


def test_a_stated_name_counts_whatever_the_image_is_used_by() -> None:
    reference, repository = ExactReference.parse(f"{A}:1"), ExactRepository.parse(A)
    for used in (None, complete("elsewhere.test/x:3")):
        assert reference.admits(used, f"{A}:1")
        assert not reference.admits(used, f"{A}:2")
        assert not reference.admits(used, A)
        assert repository.admits(used, f"{A}:2")
        assert repository.admits(used, A)
        assert not repository.admits(used, "registry.test/apps:2")
    with pytest.raises(ValueError, match="neither"):
        ExactReference.parse(A)
    with pytest.raises(ValueError, match="one image"):
        ExactRepository.parse(f"{A}:1")


@pytest.mark.parametrize(
    ("prefix", "signed_prefix", "used", "signed", "admitted"),
    [
        ("mirror.test/vendor", "vendor.test", "mirror.test/vendor/a:1", "vendor.test/a:1", True),
        ("mirror.test/vendor", "vendor.test", "mirror.test/vendor/a:1", "vendor.test/a:2", False),
        ("mirror.test/vendor", "vendor.test", "mirror.test/vendors/a:1", "vendor.tests/a:1", False),
        (
            "mirror.test/vendor",
            "vendor.test",
            "mirror.test/other/a:1",
            "mirror.test/other/a:1",
            True,
        ),
        ("mirror.test", "vendor.test", "mirror.test:5000/a:1", "vendor.test:5000/a:1", False),
        ("mirror.test", "vendor.test", "mirror.test/a:1", "mirror.test/a:1", False),
        ("mirror.test/a", "vendor.test/b/c", "mirror.test/a:1", "vendor.test/b/c:1", True),
        (
            "mirror.test/a",
            "vendor.test/b",
            f"mirror.test/a@{DIGEST}",
            "vendor.test/b:anything",
            True,
        ),
        # what would be completed to docker.io/library on the way means something else
        ("mirror.test/a", "busybox", "mirror.test/a:1", "docker.io/library/busybox:1", False),
        ("docker.io/library", "vendor.test", "busybox:1", "vendor.test/busybox:1", True),
    ],
)
def test_a_mirror_stands_for_the_original(
    prefix: str, signed_prefix: str, used: str, signed: str, admitted: bool
) -> None:
    rule = RemapIdentity.parse(prefix, signed_prefix)
    assert rule.admits(complete(used), signed) is admitted


@pytest.mark.parametrize(
    "text", ["", "a:tag", "a@b", "/a", "a/", "A b", "a//b", "a/B", "a\n", "*.a"]
)
def test_a_prefix_is_a_registry_a_namespace_or_a_repository(text: str) -> None:
    with pytest.raises(ValueError, match="is no registry"):
        RemapIdentity.parse(text, "vendor.test")
    with pytest.raises(ValueError, match="is no registry"):
        RemapIdentity.parse("vendor.test", text)


@given(st.text(max_size=40), st.sampled_from([f"{A}:1", f"{A}@{DIGEST}"]))
def test_no_text_is_taken_for_a_name_that_it_is_not(signed: str, used: str) -> None:
    for rule in (*RULES, ExactReference.parse(f"{A}:1"), ExactRepository.parse(A)):
        assert not rule.admits(complete(used), signed)
        assert not rule.admits(complete(used), f"{A}:1{signed}\0")
