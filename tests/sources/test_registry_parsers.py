"""Names, challenges, links and URLs: by their grammars, and total."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.digest import Digest
from assay.sources.http.headers import Challenge, next_page, parse_challenges, parse_links
from assay.sources.http.proxies import proxy_for
from assay.sources.http.retry import retry_after
from assay.sources.http.url import is_local_only, is_loopback, join_url, parse_url
from assay.sources.registry.reference import parse_reference, referrers_tag

SHA256 = "sha256:" + "ab" * 32
SHA512 = "sha512:" + "cd" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("registry.example/app", "registry.example", "app", "", ""),
        ("registry.example:5000/a/b/c:1.0", "registry.example:5000", "a/b/c", "1.0", ""),
        ("localhost/app", "localhost", "app", "", ""),
        ("localhost:5000/app:V_1.0-x", "localhost:5000", "app", "V_1.0-x", ""),
        ("[::1]:5000/app", "[::1]:5000", "app", "", ""),
        ("127.0.0.1:5000/a__b/c-d---e/f.g_h", "127.0.0.1:5000", "a__b/c-d---e/f.g_h", "", ""),
        (f"registry.example/app@{SHA256}", "registry.example", "app", "", SHA256),
        (f"registry.example/app:1@{SHA512}", "registry.example", "app", "1", SHA512),
        ("Registry.Example/app", "registry.example", "app", "", ""),
        ("registry.example:5000/1", "registry.example:5000", "1", "", ""),
    ],
)
def test_a_reference_is_taken_apart(
    text: str, registry: str, repository: str, tag: str, digest: str
) -> None:
    found = parse_reference(text)
    assert (found.registry, found.repository, found.tag) == (registry, repository, tag)
    assert found.digest == (Digest.parse(digest) if digest else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "team/app",
        "registry.example",
        "registry.example/",
        "registry.example//app",
        "registry.example/App",
        "registry.example/app/",
        "registry.example/app:",
        "registry.example/app:-tag",
        "registry.example/app:" + "a" * 129,
        "registry.example/app:tag:tag",
        "registry.example/app@",
        "registry.example/app@sha256:abc",
        "registry.example/app@sha256:" + "AB" * 32,
        "registry.example/app@md5:" + "ab" * 16,
        f"registry.example/app@{SHA256}@{SHA256}",
        "registry.example/a..b",
        "registry.example/a___b",
        "registry.example/-a",
        "registry.example/../etc",
        "registry.example/a b",
        "registry.example/a?b=c",
        "registry.example/a#b",
        "registry.example/a%2fb",
        "registry.example/app\n",
        "registry.example:99999/app",
        "registry.example:0/app",
        "registry.example:port/app",
        "user@registry.example/app",
        "-registry.example/app",
        "[::1/app",
        "registry.example/" + "a" * 256,
        "registry.example/é",
        "https://registry.example/app",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_reference(text)


def test_a_name_without_a_registry_takes_the_default() -> None:
    assert parse_reference("app:1", "registry.example").name == "registry.example/app"
    assert parse_reference("team/app", "registry.example").name == "registry.example/team/app"
    assert parse_reference("other.example/app", "registry.example").registry == "other.example"


def test_a_host_that_only_its_capitals_tell_stays_one() -> None:
    for text, shown in (
        ("Registry/app", "Registry/app:1"),
        ("Registry.Example/app", "registry.example/app:1"),
        ("LOCALHOST/app", "localhost/app:1"),
    ):
        reference = parse_reference(f"{text}:1")
        assert str(reference) == shown
        assert parse_reference(shown) == reference


def test_the_referrers_tag_of_a_digest() -> None:
    assert referrers_tag(Digest.parse(SHA256)) == "sha256-" + "ab" * 32
    assert referrers_tag(Digest.parse(SHA512)) == "sha512-" + "cd" * 32


@pytest.mark.parametrize(
    ("value", "challenges"),
    [
        ("", []),
        ("Basic", [Challenge("basic")]),
        ('Basic realm="a \\"b\\" c"', [Challenge("basic", {"realm": 'a "b" c'})]),
        (
            'Bearer realm="https://t.example/t",service="s",scope="repository:a/b:pull,push"',
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://t.example/t",
                        "service": "s",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        (
            'Negotiate, basic realm=x , BEARER  Realm = "y",,',
            [
                Challenge("negotiate"),
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "y"}),
            ],
        ),
        ("Negotiate a+/b==, Basic", [Challenge("negotiate", {}, "a+/b=="), Challenge("basic")]),
    ],
)
def test_challenges(value: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(value) == challenges


@pytest.mark.parametrize(
    "value",
    [
        'Basic realm="a',
        'Basic realm="a" b',
        'Basic realm="a", realm="b"',
        '"Basic"',
        "=",
        "a" * 20000,
    ],
)
def test_what_is_no_challenge_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_challenges(value)


def test_links() -> None:
    assert next_page(['</v2/a?n=1&last=x,y>; rel="next"']) == "/v2/a?n=1&last=x,y"
    assert next_page(['<a>; rel=prev, <b>;title="x;," ; REL="last NEXT"']) == "b"
    assert next_page(["<a>", "<b>; rel=next; rel=prev"]) == "b"
    assert next_page(["<a>; rel=nextish", ""]) is None
    for bad in ("a", "<a", "<a> <b>", "<a>; =b", '<a>; rel="x'):
        with pytest.raises(ValueError, match=r"."):
            parse_links(bad)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host.example", "https://host.example/"),
        ("HTTPS://HOST.example:443/A%20b?x=secret#frag", "https://host.example/A%20b"),
        ("http://127.0.0.1:8080/é x", "http://127.0.0.1:8080/%C3%A9%20x"),
        ("https://[2001:DB8::1]:8443?q", "https://[2001:db8::1]:8443/"),
    ],
)
def test_urls(text: str, shown: str) -> None:
    assert parse_url(text).shown == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host.example",
        "//host.example/",
        "ftp://host.example/",
        "https://",
        "https:///path",
        "https://user@host.example/",
        "https://user:s3same@host.example/",
        "https://good.example\\@evil.example/",
        "https://good.example:80@evil.example/",
        "https://host.example:0/",
        "https://host.example:65536/",
        "https://host.example:8x/",
        "https://ho st.example/",
        "https://host.example/\r\nX-Evil: 1",
        "https://host.example/\0",
        "https://é.example/",
        "https://[::1",
        "https://[zz]/",
        "https://a..b/",
    ],
)
def test_what_is_no_url_is_refused_and_never_quotes_a_password(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_url(text)
    assert "s3same" not in str(error.value)


def test_redirect_targets_are_taken_relative_to_where_they_were_found() -> None:
    base = parse_url("https://host.example/a/b?c")
    assert str(join_url(base, "d")) == "https://host.example/a/d"
    assert str(join_url(base, "//other.example/x")) == "https://other.example/x"
    assert str(join_url(base, "/x?y")) == "https://host.example/x?y"


def test_what_is_local() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.8.9.1", "::1"]))
    assert not any(map(is_loopback, ["localhost.example", "10.0.0.1", "0.0.0.0", "169.254.1.1"]))
    assert all(map(is_local_only, ["169.254.169.254", "fe80::1", "0.0.0.0", "::"]))


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://a.example/", ""),
        ({"HTTPS_PROXY": "http://p.example:3128"}, "https://a.example/", "p.example:3128"),
        ({"HTTPS_PROXY": "p.example:3128"}, "https://a.example/", "p.example:3128"),
        ({"HTTPS_PROXY": "http://p.example"}, "http://a.example/", ""),
        ({"ALL_PROXY": "http://p.example"}, "http://a.example/", "p.example"),
        ({"http_proxy": "http://p.example"}, "http://a.example/", "p.example"),
        ({"HTTP_PROXY": "http://p.example", "REQUEST_METHOD": "GET"}, "http://a.example/", ""),
        ({"ALL_PROXY": "http://p.example"}, "http://127.0.0.1/", ""),
        ({"ALL_PROXY": "http://p.example"}, "http://localhost/", ""),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "*"}, "http://a.example/", ""),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "x, .example"}, "http://a.example/", ""),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "a.example"}, "http://b.a.example/", ""),
        (
            {"ALL_PROXY": "http://p.example", "NO_PROXY": "a.example"},
            "http://ba.example/",
            "p.example",
        ),
        (
            {"ALL_PROXY": "http://p.example", "NO_PROXY": "a.example:81"},
            "http://a.example/",
            "p.example",
        ),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "a.example:81"}, "http://a.example:81/", ""),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3/", ""),
        (
            {"ALL_PROXY": "http://p.example", "no_proxy": "", "NO_PROXY": "*"},
            "http://a.example/",
            "p.example",
        ),
    ],
)
def test_proxies(environment: dict[str, str], url: str, proxy: str) -> None:
    found = proxy_for(parse_url(url), environment)
    assert (found.url.authority if found else "") == proxy


def test_a_proxy_password_is_kept_out_of_sight() -> None:
    found = proxy_for(parse_url("https://a.example"), {"https_proxy": "http://u:s3%40me@p.example"})
    assert found is not None
    assert found.authorization.reveal() == b"Basic dTpzM0BtZQ=="
    assert "s3" not in repr(found)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("Fri, 02 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("9" * 400, None),
        ("1e9", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 1, 2, tzinfo=UTC)) == seconds


def _targets() -> list[Path]:
    folder = Path(__file__).parents[2] / "fuzz"
    names = ("fuzz_reference.py", "fuzz_www_authenticate.py", "fuzz_url.py")
    return [folder / name for name in names]


_SEEDS = st.sampled_from(
    [
        'Bearer realm="https://t.example/t",service="s"',
        "Negotiate a==, Basic realm=x",
        '</v2/a?n=1>; rel="next", <b>',
        f"registry.example:5000/a/b:1@{SHA256}",
        "https://host.example:8443/a?b#c",
    ]
).map(str.encode)


@pytest.mark.parametrize("path", _targets(), ids=lambda path: path.stem)
@settings(max_examples=150, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=300), st.tuples(_SEEDS, st.binary(max_size=20), _SEEDS).map(b"".join)
    ),
    cut=st.integers(0, 300),
)
def test_every_parser_is_total(path: Path, data: bytes, cut: int) -> None:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.one_input(data)
    module.one_input(data[:cut])


@given(
    st.from_regex(r"\A[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+)*\Z"),
    st.from_regex(r"\A[\w][\w.-]{0,30}\Z"),
)
@settings(max_examples=80, deadline=None)
def test_what_the_grammar_makes_is_understood(path: str, tag: str) -> None:
    if not tag.isascii() or len(path) > 255:
        return  # beyond the grammar: a tag is ASCII, a repository's name has a limit
    found = parse_reference(f"registry.example:443/{path}:{tag}")
    assert (found.repository, found.tag) == (path, tag)
