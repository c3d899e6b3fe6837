"""The JSON form of verdicts of many kinds follows the schema that is shipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.report import json as report
from assay.report import schemas
from assay.trust.anchors import Trust
from tests.appraisal import support as cases
from tests.signatures.support import run, tool
from tests.support.images import Entry, Layout


def _closed(schema: Any) -> Any:
    """The schema with no room for what it does not name."""
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        if "properties" in closed:
            closed["additionalProperties"] = False
        return closed
    return [_closed(item) for item in schema] if isinstance(schema, list) else schema


def _validate(*verdicts: Verdict) -> dict[str, Any]:
    schema = json.loads(schemas.text_of("verdict-1"))
    document: dict[str, Any] = json.loads(report.render(verdicts))
    Draft202012Validator(schema).validate(document)
    Draft202012Validator(_closed(schema)).validate(document)
    return document


@pytest.mark.parametrize("name", schemas.GENERATED)
def test_the_schema_that_is_shipped_is_what_the_code_says(name: str) -> None:
    assert schemas.text_of(name) == schemas.generate(name), "run scripts/schemas.py"


@pytest.mark.parametrize("name", schemas.names())
def test_every_schema_is_one(name: str) -> None:
    schema = json.loads(schemas.text_of(name))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:assay:schema:{name}"
    assert schema["title"]


def _images(folder: Path) -> Iterator[tuple[str, str]]:
    """Names of images, good and bad, each with a digest to trust."""
    plain = folder / "disk.img"
    plain.write_bytes(b"assay" * 100)
    yield str(plain), ""
    yield str(plain), "sha256:" + "0" * 64
    yield str(plain), str(cases.sha256(plain.read_bytes()))
    empty = folder / "empty.img"
    empty.touch()
    yield str(empty), str(cases.sha256(b""))
    yield str(folder / "missing"), ""
    yield str(folder), ""
    layout = Layout()
    images = [
        layout.image([{"a": b"1"}, [Entry("../evil", b"2")]], "linux/amd64"),
        layout.image([layout.layer({"b": b"3"}, "zstd", trailing=b"more")], "linux/arm64"),
        layout.image([{"b": b"4"}], "linux/s390x", docker=True),
    ]
    index = layout.index([*images, layout.attestation(images[0])])
    name = layout.write(folder / "index", index)
    yield name, ""
    yield name, index["digest"]
    for number, blob in enumerate(sorted((folder / "index").rglob("blobs/sha256/*"))):
        changed = bytearray(blob.read_bytes())
        kept = bytes(changed)
        changed[len(changed) // 2] ^= 1 << number % 8
        blob.write_bytes(changed)
        yield name, index["digest"]
        blob.unlink()
        yield name, index["digest"]
        blob.write_bytes(kept)


def test_verdicts_on_images_of_many_kinds(tmp_path: Path) -> None:
    seen: set[tuple[str, int]] = set()
    for name, digest in _images(tmp_path):
        trust = Trust()
        if digest:
            trust.add_digest(digest)
        document = _validate(*verify(name, VerifyOptions(trust)))
        for verdict in document["verdicts"]:
            seen.add((verdict["decision"], verdict["exit_status"]))
    assert seen == {("allowed", 0), ("refused", 1), ("unchecked", 3)}


def test_verdicts_on_signatures(tmp_path: Path) -> None:
    minisign = tool("minisign")
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    for name in ("right", "wrong"):
        keys = ("-p", tmp_path / f"{name}.pub", "-s", tmp_path / f"{name}.key")
        run(minisign, "-G", "-W", *keys)
    run(minisign, "-S", "-s", tmp_path / "right.key", "-m", image, "-t", "made in a test")
    statuses: list[str] = []
    for name in ("right", "wrong"):
        trust = Trust().add_key(tmp_path / f"{name}.pub")
        document = _validate(*verify(str(image), VerifyOptions(trust)))
        [signature] = document["verdicts"][0]["signatures"]
        statuses.append(signature["status"])
    assert statuses == ["verified", "unknown-signer"]


def test_several_verdicts_and_none() -> None:
    assert _validate()["verdicts"] == []


HOSTILE = "a\x1b[31m\x9b2J\u202egpj.exe\u2066\u200b\ud800\x00\n\x7f\u2028"


def test_a_name_cannot_move_the_cursor_or_turn_the_text_around(tmp_path: Path) -> None:
    [verdict] = verify(str(tmp_path) + "/" + HOSTILE.replace("\0", ""), VerifyOptions(Trust()))
    text = report.render([verdict])
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "\u202egpj" in json.loads(text)["verdicts"][0]["image"]
    _validate(verdict)
