"""Baselines: the same image always gives the same one, and it names what is damaged."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.evidence.baseline_document import PREDICATE_TYPE, parse
from assay.model.finding import AssayError
from assay.model.reading import Options
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.reference_values import take_baseline
from assay.report import schemas
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.signatures.support import codes_of, run, tool
from tests.support.images import Layout
from tests.support.registry import Registry, running

CHUNK = 4096
CONTENT = os.urandom(10 * CHUNK + 100)


def baseline_of(name: str, chunk_size: int = CHUNK, **options: Any) -> bytes:
    request = VerifyOptions(Trust(), rule=BuiltInRule(self_consistent=True), **options)
    [taken] = take_baseline(name, request, ["sha256"], chunk_size)
    assert taken.document is not None, taken.verdict.findings
    return taken.document


def against(name: str, *baselines: bytes | Path, rule: BuiltInRule | None = None) -> Verdict:
    """The verdict with these baselines as anchors."""
    trust = Trust()
    for number, given_one in enumerate(baselines):
        if isinstance(given_one, bytes):
            path = Path(os.environ["ASSAY_TEST_FOLDER"]) / f"baseline-{number}.json"
            path.write_bytes(given_one)
            given_one = path
        trust.add_baseline(str(given_one))
    [verdict] = verify(name, VerifyOptions(trust, rule=rule or BuiltInRule()))
    return verdict


@pytest.fixture(autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_TEST_FOLDER", str(tmp_path_factory.mktemp("baselines")))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


def cause(verdict: Verdict) -> str:
    [found] = [finding for finding in verdict.findings if finding.code == "chunk-mismatch"]
    return found.cause


# The document


def test_it_is_what_its_schema_says(image: Path, tmp_path: Path) -> None:
    schema = json.loads(schemas.text_of("baseline-1"))
    layout = Layout()
    name = layout.write(tmp_path / "layout", layout.index([layout.image(), layout.image([{}])]))
    jsonschema.Draft202012Validator.check_schema(schema)
    for document in (baseline_of(str(image)), baseline_of(name)):
        jsonschema.validate(json.loads(document), schema)


def test_the_same_image_gives_the_same_bytes_anywhere(image: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "renamed.bin"
    copy.parent.mkdir()
    shutil.copy(image, copy)
    assert baseline_of(str(image)) == baseline_of(str(copy))


def test_the_same_container_image_gives_the_same_bytes_from_anywhere(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([{"a": CONTENT}, {"b": b"b"}])
    name = layout.write(tmp_path / "layout", image)
    skopeo = tool("skopeo")
    run(skopeo, "copy", "-q", name + ":latest", f"dir:{tmp_path / 'copy'}")
    with running() as server:
        _push(server, layout, image)
        remote = f"docker://{server.host}/app@{image['digest']}"
        from_registry = baseline_of(remote)
        assert against(remote, from_registry).exit_status == 0
        layer = layout.read(image)["layers"][0]["digest"]
        server.blobs[layer] = b"x" + server.blobs[layer][1:]
        assert against(remote, from_registry).exit_status == 1
    assert baseline_of(name) == from_registry
    assert baseline_of(f"dir:{tmp_path / 'copy'}") == from_registry


def _push(server: Registry, layout: Layout, image: dict[str, Any]) -> None:
    manifest = layout.read(image)
    for descriptor in [manifest["config"], *manifest["layers"]]:
        server.blobs[descriptor["digest"]] = layout.blobs[descriptor["digest"]]
    server.push_manifest("app", layout.blobs[image["digest"]], image["mediaType"])


def test_it_is_canonical(image: Path) -> None:
    document = baseline_of(str(image))
    assert document == json.dumps(
        json.loads(document), sort_keys=True, separators=(",", ":")
    ).encode("ascii")


def test_bytes_that_two_components_share_are_told_once(tmp_path: Path) -> None:
    layout = Layout()
    shared = layout.layer({"big": CONTENT}, compression="")
    index = layout.index([layout.image([shared]), layout.image([shared], "linux/arm64")])
    baseline = parse(baseline_of(layout.write(tmp_path / "layout", index)), "baseline")
    with_chunks = [part.id for part in baseline.parts if part.chunks is not None]
    assert with_chunks == ["linux/amd64/layer[0]"]
    assert baseline.subjects == ("index", "linux/amd64/manifest", "linux/arm64/manifest")


def test_a_damaged_image_gets_no_baseline(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    layout.blobs[layout.read(image)["layers"][0]["digest"]] += b"x"
    name = layout.write(tmp_path / "layout", image)
    request = VerifyOptions(Trust(), rule=BuiltInRule(self_consistent=True))
    [taken] = take_baseline(name, request, ["sha256"], CHUNK)
    assert taken.document is None
    assert taken.verdict.exit_status == 1


def test_an_image_that_is_not_vouched_for_gets_no_baseline(image: Path) -> None:
    trust = Trust()
    trust.add_digest("sha256:" + "0" * 64)
    [taken] = take_baseline(str(image), VerifyOptions(trust), ["sha256"], CHUNK)
    assert taken.document is None


# Verification with it


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK])
def test_an_image_matches_its_own_baseline(image: Path, size: int) -> None:
    image.write_bytes(CONTENT[:size])
    document = baseline_of(str(image))
    verdict = against(str(image), document)
    assert codes_of(verdict) <= {"empty-input"}
    assert verdict.exit_status == 0
    assert verdict.vouchers[0].path == ("baseline-0.json (given)", "file (digest)")
    image.write_bytes(CONTENT[: size + 1])
    assert against(str(image), document).exit_status == 1


def test_a_damaged_chunk_is_named_and_the_others_are_vouched_for(image: Path) -> None:
    document = baseline_of(str(image))
    damaged = bytearray(CONTENT)
    damaged[3 * CHUNK + 7] ^= 1
    image.write_bytes(damaged)
    verdict = against(str(image), document)
    assert verdict.exit_status == 1
    assert verdict.authentic.value == "no"
    assert "one stretch" in cause(verdict)
    [component] = [part for part in verdict.components if part.id == "file"]
    assert component.spans["broken"] == ((3 * CHUNK, 4 * CHUNK),)
    assert verdict.coverage.broken == CHUNK
    assert verdict.coverage.bound == len(CONTENT) - CHUNK
    [finding] = [finding for finding in verdict.findings if finding.code == "chunk-mismatch"]
    assert finding.offset == 3 * CHUNK
    assert f"bytes {3 * CHUNK}-{4 * CHUNK - 1}" in finding.detail


_OTHER = os.urandom(len(CONTENT))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (CONTENT[:-1], "truncation"),
        (CONTENT[: 5 * CHUNK], "truncation"),
        (CONTENT[: 5 * CHUNK + 1], "truncation"),
        (b"", "truncation"),
        (CONTENT + b"x", "appended data"),
        (CONTENT + CONTENT, "appended data"),
        (CONTENT[: 5 * CHUNK] + b"inserted" + CONTENT[5 * CHUNK :], "8 bytes inserted"),
        (CONTENT[: 5 * CHUNK + 9] + CONTENT[5 * CHUNK + 19 :], "10 bytes removed"),
        (b"x" + CONTENT, "inserted or removed at the very beginning"),
        (_OTHER, "rewritten throughout"),
        (CONTENT[: 5 * CHUNK] + _OTHER[5 * CHUNK :], "rewritten from somewhere"),
        (CONTENT[:CHUNK] + _OTHER[CHUNK : 2 * CHUNK] + CONTENT[2 * CHUNK :], "one stretch"),
        (b"x" + CONTENT[1 : 4 * CHUNK] + b"x" + CONTENT[4 * CHUNK + 1 :], "several places"),
        (b"x" + CONTENT[1 : 4 * CHUNK], "truncation by"),
        (b"x" + CONTENT[1:] + b"xxx", "3 bytes appended, and damage"),
    ],
)
def test_what_happened_is_told_apart(image: Path, content: bytes, what: str) -> None:
    document = baseline_of(str(image))
    image.write_bytes(content)
    verdict = against(str(image), document)
    assert verdict.exit_status == 1
    assert verdict.authentic.value == "no"
    assert verdict.intact.value == "no"
    assert what in cause(verdict)
    wrong_size = len(content) != len(CONTENT)
    assert ("size-mismatch" in codes_of(verdict)) == wrong_size
    assert "digest-mismatch" not in codes_of(verdict)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 4 * CHUNK),
    chunk=st.sampled_from([4096, 5000, 8192]),
    bit=st.integers(0, 7),
    data=st.data(),
)
def test_any_flipped_bit_is_refused_and_lies_in_a_named_chunk(
    size: int, chunk: int, bit: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, size - 1))
    image = Path(os.environ["ASSAY_TEST_FOLDER"]) / "disk.img"
    image.write_bytes(CONTENT[:size])
    document = baseline_of(str(image), chunk)
    damaged = bytearray(CONTENT[:size])
    damaged[at] ^= 1 << bit
    image.write_bytes(damaged)
    verdict = against(str(image), document)
    assert verdict.exit_status == 1
    [component] = [part for part in verdict.components if part.id == "file"]
    if size > chunk:
        assert any(start <= at < end for start, end in component.spans["broken"])
        assert verdict.coverage.broken <= chunk
    else:
        assert component.state is State.BROKEN


def test_damage_in_a_layer_is_named_in_the_layer(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([{"a": CONTENT}, {"b": b"b"}])
    name = layout.write(tmp_path / "layout", image)
    document = baseline_of(name)
    digest = layout.read(image)["layers"][0]["digest"]
    path = tmp_path / "layout" / "blobs" / digest.replace(":", "/")
    damaged = bytearray(path.read_bytes())
    damaged[2 * CHUNK + 5] ^= 1
    path.write_bytes(damaged)
    verdict = against(name, document)
    assert verdict.exit_status == 1
    [finding] = [finding for finding in verdict.findings if finding.code == "chunk-mismatch"]
    assert (finding.component, finding.offset) == ("layer[0]", 2 * CHUNK)
    assert verdict.coverage.broken == CHUNK


def test_a_part_that_went_missing_is_told(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([{"a": b"a"}, {"b": b"b"}])
    document = baseline_of(layout.write(tmp_path / "one", image))

    def without_second(manifest: dict[str, Any]) -> None:
        del manifest["layers"][1]

    less = layout.document(layout.read(image), image["mediaType"], without_second)
    verdict = against(layout.write(tmp_path / "two", less), document)
    assert verdict.exit_status == 1
    [finding] = [finding for finding in verdict.findings if finding.code == "missing-component"]
    assert finding.component == "layer[1]"
    assert "and 1 more component" in finding.detail


def test_what_was_not_asked_for_is_not_missing(tmp_path: Path) -> None:
    layout = Layout()
    index = layout.index([layout.image(), layout.image([{"b": b"b"}], "linux/arm64")])
    name = layout.write(tmp_path / "layout", index)
    path = tmp_path / "baseline.json"
    path.write_bytes(baseline_of(name))
    trust = Trust()
    trust.add_baseline(str(path))
    platform = "linux/arm64"
    [verdict] = verify(
        name,
        VerifyOptions(
            trust, formats=Options(platform=platform), open=OpenOptions(platform=platform)
        ),
    )
    assert verdict.findings == ()
    assert verdict.exit_status == 0


def test_the_image_is_compared_as_a_whole_even_where_it_became_another_kind(
    tmp_path: Path, image: Path
) -> None:
    """A container image's baseline against a file that took its place, and the reverse."""
    layout = Layout()
    name = layout.write(tmp_path / "layout", layout.image())
    for ours, other in ((name, str(image)), (str(image), name)):
        verdict = against(other, baseline_of(ours))
        assert verdict.exit_status == 1
        assert verdict.authentic.value == "no"


# Whose word it is


def test_several_baselines_are_alternatives(image: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.img"
    other.write_bytes(_OTHER)
    mine, others = baseline_of(str(image)), baseline_of(str(other))
    for order in ((mine, others), (others, mine)):
        assert against(str(image), *order).exit_status == 0
    assert against(str(image), others).exit_status == 1
    assert against(str(image), mine, others, rule=BuiltInRule(every=True)).exit_status == 1


def test_a_key_vouches_for_the_image_through_the_baseline(image: Path, tmp_path: Path) -> None:
    minisign = tool("minisign")
    public, secret = tmp_path / "key.pub", tmp_path / "key.sec"
    run(minisign, "-G", "-W", "-p", public, "-s", secret)
    path = tmp_path / "disk.img.baseline.json"
    path.write_bytes(baseline_of(str(image)))
    run(minisign, "-S", "-s", secret, "-m", path)
    trust = Trust()
    trust.add_baseline(str(path))
    trust.add_key(str(public))
    [verdict] = verify(str(image), VerifyOptions(trust))
    assert verdict.exit_status == 0
    assert {vouching.kind for vouching in verdict.vouchers} == {"baseline", "key"}
    # a changed baseline is not signed any more, whatever it says
    path.write_bytes(path.read_bytes() + b"\n")
    [verdict] = verify(str(image), VerifyOptions(trust_again(path, public)))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def trust_again(baseline: Path, key: Path) -> Trust:
    trust = Trust()
    trust.add_baseline(str(baseline))
    trust.add_key(str(key))
    return trust


# Hostile documents


def changed(document: bytes, place: str, change: Callable[[Any], object]) -> bytes:
    value = json.loads(document)
    components = value["predicate"]["components"]
    change(
        {
            "statement": value,
            "subject": value["subject"][0],
            "predicate": value["predicate"],
            "components": components,
            "part": components[0],
            "chunks": components[0]["chunks"],
            "digests": components[0]["chunks"]["digests"],
        }[place]
    )
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("chunks", lambda it: it.update(size=1)),
        ("chunks", lambda it: it.update(size=CHUNK * 2)),
        ("chunks", lambda it: it.update(size=float(CHUNK))),
        ("chunks", lambda it: it.update(size=True)),
        ("chunks", lambda it: it.update(algorithm="crc32")),
        ("chunks", lambda it: it.update(digests="00" * 32)),
        ("digests", lambda it: it.pop()),
        ("digests", lambda it: it.append("00" * 32)),
        ("digests", lambda it: it.__setitem__(0, "00" * 31)),
        ("digests", lambda it: it.__setitem__(0, "0 " * 32)),
        ("digests", lambda it: it.__setitem__(0, "AB" * 32)),
        ("chunks", lambda it: it.update(extra=1)),
        ("part", lambda it: it.update(size=-1)),
        ("part", lambda it: it.update(size=1 << 60)),
        ("part", lambda it: it.update(size="1")),
        ("part", lambda it: it.update(digest={})),
        ("part", lambda it: it.update(digest={"sha256": "00"})),
        ("part", lambda it: it.update(digest={"unknown": "00"})),
        ("part", lambda it: it.update(id="")),
        ("part", lambda it: it.update(ignored=[])),
        ("part", lambda it: it.pop("kind")),
        ("components", lambda it: it.append(it[0])),
        ("predicate", lambda it: it.update(components=[])),
        ("predicate", lambda it: it.update(components={})),
        ("statement", lambda it: it.update(predicateType="https://slsa.dev/provenance/v1")),
        ("subject", lambda it: it.update(name="other")),
        ("subject", lambda it: it.update(digest={"sha256": "00" * 32})),
        ("subject", lambda it: it["digest"].update(gitCommit="00" * 20)),
    ],
)
def test_a_malformed_baseline_vouches_for_nothing(
    image: Path, place: str, change: Callable[[Any], object]
) -> None:
    verdict = against(str(image), changed(baseline_of(str(image)), place, change))
    assert verdict.exit_status == 1
    assert "malformed" in codes_of(verdict)
    assert verdict.claims_held == 0


def test_a_baseline_that_swaps_two_digests_is_refused(image: Path) -> None:
    document = changed(baseline_of(str(image)), "digests", lambda it: it.append(it.pop(0)))
    assert against(str(image), document).exit_status == 1


@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_give_a_baseline_or_a_finding(noise: bytes, at: int) -> None:
    honest = json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "file", "digest": {"md5": "00" * 16}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "format": "raw",
                "components": [
                    {"id": "file", "kind": "file", "size": 1, "digest": {"md5": "00" * 16}}
                ],
            },
        }
    ).encode()
    assert parse(honest, "baseline").root == "file"
    for data in (noise, honest[:at] + noise + honest[at + len(noise) :]):
        with contextlib.suppress(AssayError):
            assert parse(data, "baseline").parts
