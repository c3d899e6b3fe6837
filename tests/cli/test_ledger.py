"""``assay ledger`` and ``assay verify --ledger``, as a user has them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.support import Done, assay_here

CONTENT = b"x" * 1000
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an image and an empty ledger."""
    here = tmp_path / "work"
    here.mkdir()
    (here / "disk.img").write_bytes(CONTENT)
    (here / "bad.img").write_bytes(CONTENT[:-1] + b"y")
    run(here, "key", "generate", "ledger.key", "--kind", "ed25519", "--no-passphrase")
    made = run(
        here, "ledger", "init", "v.db", "--key", "ledger.key", "--origin", "example.org/verdicts"
    )
    (here / "v.vkey").write_text(made.stdout)
    return here


def run(folder: Path, *words: str, status: int = 0) -> Done:
    done = assay_here(*words, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def recorded(folder: Path, image: str = "disk.img", *words: str, status: int = 0) -> Done:
    return run(
        folder, "verify", image, "--digest", DIGEST, "--ledger", "v.db", "--ledger-key",
        "ledger.key", *words, status=status,
    )  # fmt: skip


def listed(folder: Path, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        run(folder, "ledger", *words, "--format", "json").stdout
    )
    return [{"index": one["index"], **one["entry"]} for one in found]  # type: ignore[dict-item]


def test_names_that_are_no_utf8_are_recorded_as_reports_show_them(folder: Path) -> None:
    name = "d\udcff.img"
    try:
        (folder / name).write_bytes(CONTENT)
    except OSError:
        pytest.skip("the file system has no such names")
    recorded(folder, name, "--ticket", "a\udcff")
    [entry] = listed(folder, "list", "v.db")
    assert str(entry["image"]).endswith("d\\udcff.img")
    assert entry["context"]["ticket"] == "a\\udcff"  # type: ignore[index]


def test_every_verdict_goes_on_record_whatever_it_is(folder: Path) -> None:
    recorded(folder)
    recorded(folder, "bad.img", "--ticket", "CHG-7", status=1)
    recorded(folder, "missing.img", status=3)
    entries = listed(folder, "list", "v.db")
    assert [entry["index"] for entry in entries] == [2, 1, 0]
    assert [entry["decision"] for entry in entries] == ["unchecked", "refused", "allowed"]
    said = run(folder, "ledger", "verify", "v.db", "--verifier-key", "v.vkey")
    assert said.stdout.startswith("SOUND")


def test_what_is_not_asked_for_is_not_recorded(folder: Path) -> None:
    recorded(folder)
    recorded(folder, "disk.img", "--record-host", "--environment", "prod")
    new, old = (entry["context"] for entry in listed(folder, "list", "v.db"))
    assert isinstance(new, dict)
    assert isinstance(old, dict)
    assert {name for name, value in old.items() if value} == {"trust_digest"}
    assert {name for name, value in new.items() if value} == {"host", "environment", "trust_digest"}


def test_each_entry_says_by_what_it_was_judged(folder: Path) -> None:
    run(folder, "key", "generate", "one.key", "--no-passphrase")
    (folder / "one.pub").write_text(run(folder, "key", "export-public", "one.key").stdout)
    for _ in range(2):
        recorded(folder)
    recorded(folder, "disk.img", "--key", "one.pub", status=1)
    run(folder, "key", "generate", "two.key", "--no-passphrase")
    (folder / "one.pub").write_text(run(folder, "key", "export-public", "two.key").stdout)
    recorded(folder, "disk.img", "--key", "one.pub", status=1)
    trusted = [entry["context"]["trust_digest"] for entry in listed(folder, "list", "v.db")]  # type: ignore[index]
    assert trusted[2] == trusted[3]
    assert len({trusted[0], trusted[1], trusted[2]}) == 3, "by content, whatever the file's name"


def test_search(folder: Path) -> None:
    recorded(folder, "disk.img", "--environment", "staging")
    recorded(folder, "bad.img", status=1)
    for words, indexes in (
        (["--decision", "refused"], [1]),
        (["--image", "DISK"], [0]),
        (["--environment", "staging"], [0]),
        (["--finding", "digest-mismatch"], [1]),
        (["--finding", "digest"], []),
        (["--signer", "digest sha256"], [0]),
        (["--since", "2000-01-01"], [1, 0]),
        (["--until", "2000-01-01T00:00:00Z"], []),
        (["--limit", "1"], [1]),
    ):
        found = [entry["index"] for entry in listed(folder, "search", "v.db", *words)]
        assert found == indexes, words


def test_trace_finds_a_digest_wherever_it_was_seen(folder: Path) -> None:
    recorded(folder)
    recorded(folder, "bad.img", status=1)
    assert [entry["index"] for entry in listed(folder, "trace", "v.db", DIGEST)] == [0]
    none = run(folder, "ledger", "trace", "v.db", "sha256:" + "0" * 64)
    assert (none.stdout, none.stderr) == ("", "never seen\n")


def test_show_has_the_whole_verdict(folder: Path) -> None:
    recorded(folder, "bad.img", status=1)
    text = run(folder, "ledger", "show", "v.db", "0").stdout
    assert "REFUSED  bad.img" in text
    value = json.loads(run(folder, "ledger", "show", "v.db", "0", "--format", "json").stdout)
    assert value["verdict"]["decision"] == "refused"
    run(folder, "ledger", "show", "v.db", "1", status=2)


def test_a_proof_convinces_without_the_ledger(folder: Path) -> None:
    recorded(folder)
    recorded(folder, "bad.img", status=1)
    run(folder, "ledger", "prove", "v.db", "1", "-o", "1.proof")
    words = ("ledger", "verify", "--proof", "1.proof", "--verifier-key", "v.vkey")
    assert run(folder, *words).stdout.startswith("PROVEN")
    entry = folder / "1.proof.entry"
    entry.write_bytes(entry.read_bytes().replace(b"refused", b"allowed"))
    assert run(folder, *words, status=1).stdout.startswith("NOT PROVEN")


def test_a_changed_entry_is_found(folder: Path) -> None:
    recorded(folder, "bad.img", status=1)
    with sqlite3.connect(folder / "v.db") as database:
        [table] = [
            name
            for (name,) in database.execute("select name from sqlite_master where type='table'")
            if "leaf" in {row[1] for row in database.execute(f"pragma table_info({name})")}
        ]
        [(leaf,)] = database.execute(f"select leaf from {table}").fetchall()
        changed = bytes(leaf).replace(b"refused", b"allowed")
        database.execute(f"update {table} set leaf = ?", (changed,))
    database.close()
    said = run(folder, "ledger", "verify", "v.db", status=1).stdout
    assert said.startswith("NOT SOUND")


def test_a_checkpoint_that_was_kept_shows_a_ledger_made_anew(folder: Path) -> None:
    recorded(folder)
    kept = run(folder, "ledger", "checkpoint", "v.db").stdout
    (folder / "kept").write_text(kept)
    run(folder, "ledger", "verify", "v.db", "--checkpoint", "kept")
    run(folder, "ledger", "init", "w.db", "--key", "ledger.key", "--origin", "example.org/verdicts")
    run(folder, "ledger", "verify", "w.db", "--checkpoint", "kept", status=1)


def test_an_export_is_a_whole_ledger_again(folder: Path) -> None:
    for _ in range(3):
        recorded(folder)
    run(folder, "ledger", "export", "v.db", "out")
    assert (folder / "out" / "tile" / "entries" / "000.p" / "3").is_file()
    run(folder, "ledger", "import", "w.db", "out", "--verifier-key", "v.vkey")
    run(folder, "ledger", "verify", "w.db", "--verifier-key", "v.vkey")
    assert listed(folder, "list", "w.db") == listed(folder, "list", "v.db")


def test_an_export_with_a_changed_entry_is_not_taken_over(folder: Path) -> None:
    recorded(folder, "bad.img", status=1)
    run(folder, "ledger", "export", "v.db", "out")
    path = folder / "out" / "tile" / "entries" / "000.p" / "1"
    path.write_bytes(path.read_bytes().replace(b"refused", b"allowed"))
    run(folder, "ledger", "import", "w.db", "out", "--verifier-key", "v.vkey", status=3)
    assert not (folder / "w.db").exists()


def test_a_verdict_that_cannot_be_recorded_is_none(folder: Path) -> None:
    recorded(folder)
    with sqlite3.connect(folder / "v.db") as database:
        database.execute("update assay_checkpoints set note = x'00'")
    database.close()
    recorded(folder, status=3)


@pytest.mark.parametrize(
    "words",
    [
        ["--ledger", "v.db"],
        ["--ledger-key", "ledger.key"],
        ["--ticket", "x"],
        ["--ledger", "none.db", "--ledger-key", "ledger.key"],
        ["--ledger", "v.db", "--ledger-key", "disk.img"],
        ["--ledger", "v.db", "--ledger-key", "other.key"],
    ],
)
def test_options_that_do_not_fit(folder: Path, words: list[str]) -> None:
    run(folder, "key", "generate", "other.key", "--kind", "ed25519", "--no-passphrase")
    run(folder, "verify", "disk.img", "--digest", DIGEST, *words, status=2)


@pytest.mark.parametrize(
    "words",
    [
        ["init", "v.db", "--key", "ledger.key", "--origin", "example.org/verdicts"],
        ["init", "w.db", "--key", "disk.img", "--origin", "example.org/verdicts"],
        ["list", "none.db"],
        ["search", "v.db", "--since", "yesterday"],
        ["trace", "v.db", "9f86"],
        ["verify"],
        ["verify", "--proof", "x"],
        ["verify", "v.db", "--verifier-key", "x+y"],
        ["prove", "v.db", "0", "-o", "p"],
        ["import", "w.db", "nowhere", "--verifier-key", "v.vkey"],
    ],
)
def test_requests_that_make_no_sense(folder: Path, words: list[str]) -> None:
    run(folder, "ledger", *words, status=2)
