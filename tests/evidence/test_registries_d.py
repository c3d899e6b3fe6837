"""registries.d: where signatures are kept, by the most specific namespace."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.evidence.simple_signing.registries_d import read_directory
from assay.model.finding import UsageError
from assay.model.verdict import Answer
from assay.sources.registry.names import complete
from tests.evidence.test_simple_signing import DIGEST, attachment, image_in, judged, payload


def configured(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "README").write_text("no: [YAML")
    return folder


def test_the_most_specific_namespace_decides(tmp_path: Path) -> None:
    found = read_directory(
        configured(
            tmp_path / "d",
            one="default-docker:\n  lookaside: file:///default\n  lookaside-staging: file:///w\n",
            two=(
                "docker:\n  a.b.test:\n    lookaside: https://host\n"
                "  a.b.test/ns:\n    sigstore: https://ns\n    use-sigstore-attachments: true\n"
                "  a.b.test/ns/app:\n    use-sigstore-attachments: false\n"
                "  a.b.test/ns/app:2:\n    lookaside: https://tag\n    sigstore: https://old\n"
                "  '*.wild.test':\n    lookaside: https://wild\n"
            ),
            three="",
            four="docker:\n",
        )
    )
    for name, location in (
        ("a.b.test/x:1", "https://host"),
        ("a.b.test/ns/other:1", "https://ns"),
        ("a.b.test/ns/app:1", "https://ns"),
        ("a.b.test/ns/app:2", "https://tag"),
        ("deep.wild.test/x", "https://wild"),
        ("wild.test/x", "file:///default"),
        ("xa.b.test/ns/app:2", "file:///default"),
    ):
        assert found.lookaside_for(complete(name)) == location


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a": "docker: []"}, "line 1: docker is not a mapping"),
        ({"a": "docker:\n  x.test:\n    lookasde: z"}, "line 3: 'lookasde' is not known"),
        ({"a": "docker:\n  x.test:\n    lookaside: 3"}, "no value of its kind"),
        ({"a": "docker:\n  x.test:\n    use-sigstore-attachments: 'a'"}, "no value of its kind"),
        ({"a": "docker: {x.test: {}, x.test: {}}"}, "twice"),
        ({"a": "docker: {x.test: {}}", "b": "docker: {x.test: {}}"}, "another file"),
        ({"a": "default-docker: {}", "b": "default-docker: {}"}, "another file"),
        ({"a": "Docker: {}"}, "'Docker' is not known"),
        ({"a": "docker: {}\n---\ndocker: {}"}, "2 YAML documents"),
        ({"a": "docker: {"}, "not YAML"),
    ],
)
def test_what_is_not_as_the_format_has_it_is_refused(
    tmp_path: Path, files: dict[str, str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        read_directory(configured(tmp_path / "d", **files))


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="registries-d"):
        read_directory(tmp_path / "nowhere")


def test_signatures_are_found_where_it_says(tmp_path: Path) -> None:
    name = image_in(tmp_path / "image")
    place = tmp_path / "signatures"
    kept = place / f"app@sha256={DIGEST.partition(':')[2]}"
    text = f"docker:\n  registry.test:\n    lookaside: file://{place}\n"
    config = str(configured(tmp_path / "d", a=text))
    known = "docker://registry.test/app:1"
    # nobody has signed yet: the directory is not there
    verdict = judged(tmp_path, name, registries_d=config, known_as=known)
    assert verdict.authentic is not Answer.YES
    kept.mkdir(parents=True)
    (kept / "signature-1").write_bytes(attachment(payload()))
    verdict = judged(tmp_path, name, registries_d=config, known_as=known)
    assert verdict.authentic is Answer.YES
    other = judged(tmp_path, name, registries_d=config, known_as="docker://other.test/app:1")
    assert other.authentic is not Answer.YES
