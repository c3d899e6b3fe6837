"""Witnesses (C2SP tlog-witness): being one, asking them, and what they find out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.ledger.audit import audit
from assay.ledger.cosigning import cosign
from assay.ledger.log import Log
from assay.ledger.store import Store
from assay.ledger.witness import Reply, Witness
from assay.ledger.witness_server import WitnessServer
from assay.model.finding import AssayError, UsageError
from assay.sources.model import OpenOptions
from assay.transparency import note as notes
from assay.transparency.add_checkpoint import SIZE, AddCheckpoint, parse
from assay.transparency.note import KeyType, NoteError, VerifierKey
from assay.transparency.policy import WitnessPolicy, parse_policy
from tests.cli.support import assay_here
from tests.ledger.support import entries, signer


@pytest.fixture
def log(tmp_path: Path) -> Log:
    made = Log.create(str(tmp_path / "ledger.db"), signer())
    made.append(entries(5))
    return made


@pytest.fixture
def witness(tmp_path: Path, log: Log) -> Witness:
    return made_witness(tmp_path / "w1.db", log.key)


def made_witness(state: Path, *logs: VerifierKey, name: str = "witness.example/w1") -> Witness:
    return Witness(signer(name, KeyType.COSIGNATURE), logs, state, clock=lambda: 1_700_000_000)


def request(log: Log, old: int) -> bytes:
    state, note = log.checkpoint()
    return AddCheckpoint(old, tuple(log.consistency(old, state.size)), note).render()


# -- being a witness: the statuses of the specification ------------------------------------------


def test_a_first_checkpoint_is_cosigned(log: Log, witness: Witness) -> None:
    reply = witness.add_checkpoint(request(log, 0))
    assert reply.status == 200
    whole = notes.parse(log.checkpoint()[1] + reply.body)
    assert [one.time for one in notes.confirmations(whole, [witness.key])] == [1_700_000_000]


def test_what_extends_it_is_cosigned_and_so_is_the_same_again(log: Log, witness: Witness) -> None:
    assert witness.add_checkpoint(request(log, 0)).status == 200
    log.append(entries(400))
    assert witness.add_checkpoint(request(log, 5)).status == 200
    assert witness.add_checkpoint(request(log, 405)).status == 200


def test_a_wrong_old_size_is_corrected(log: Log, witness: Witness) -> None:
    witness.add_checkpoint(request(log, 0))
    log.append(entries(3))
    assert witness.add_checkpoint(request(log, 0)) == Reply(409, b"5\n", "text/x.tlog.size")
    assert witness.add_checkpoint(request(log, 4)).status == 409


def test_an_unknown_log(log: Log, tmp_path: Path) -> None:
    other = made_witness(tmp_path / "other.db", signer("another.example").verifier)
    assert other.add_checkpoint(request(log, 0)).status == 404


def test_a_checkpoint_signed_by_another_key_of_that_name(log: Log, tmp_path: Path) -> None:
    other = made_witness(tmp_path / "other.db", signer(log.origin).verifier)
    assert other.add_checkpoint(request(log, 0)).status == 403


def test_a_wrong_proof(log: Log, witness: Witness) -> None:
    witness.add_checkpoint(request(log, 0))
    log.append(entries(3))
    right = parse(request(log, 5))
    for proof in ((), right.proof[:-1], right.proof[::-1], (*right.proof, bytes(32))):
        wrong = AddCheckpoint(5, proof, right.note)
        assert witness.add_checkpoint(wrong.render()).status == 422
    assert witness.add_checkpoint(right.render()).status == 200


def test_a_proof_where_none_belongs(log: Log, witness: Witness) -> None:
    body = AddCheckpoint(0, (bytes(32),), log.checkpoint()[1]).render()
    assert witness.add_checkpoint(body).status == 422


def test_an_old_size_beyond_the_checkpoint(log: Log, witness: Witness) -> None:
    body = AddCheckpoint(6, (), log.checkpoint()[1]).render()
    assert witness.add_checkpoint(body).status == 400


def test_forked_log_another_tree_of_the_same_size(
    log: Log, witness: Witness, tmp_path: Path
) -> None:
    """The holder of the log's key shows the witness a second history."""
    witness.add_checkpoint(request(log, 0))
    assert log._signer is not None
    other = Log.create(str(tmp_path / "fork.db"), log._signer)
    shutil.rmtree(tmp_path / "state")
    other.append(entries(5, "other"))
    reply = witness.add_checkpoint(AddCheckpoint(5, (), other.checkpoint()[1]).render())
    assert (reply.status, reply.body) == (409, b"5\n")
    other.append(entries(5, "other"))
    body = AddCheckpoint(5, tuple(other.consistency(5, 10)), other.checkpoint()[1])
    assert witness.add_checkpoint(body.render()).status == 422


def test_two_requests_at_once_never_take_anything_back(log: Log, tmp_path: Path) -> None:
    """The race that the specification warns of: the smaller of two trees arrives late."""
    state = tmp_path / "race.db"
    for _ in range(5):
        witness = made_witness(state, log.key)
        bodies = []
        start = log.checkpoint()[0].size
        witness.add_checkpoint(request(log, 0))
        for _ in range(4):
            log.append(entries(1))
            bodies.append(request(log, start))
        with ThreadPoolExecutor(4) as pool:
            statuses = [reply.status for reply in pool.map(witness.add_checkpoint, bodies)]
        assert sorted(statuses) == [200, 409, 409, 409]
        state.unlink()


def test_what_was_cosigned_is_remembered_by_the_next_process(log: Log, tmp_path: Path) -> None:
    made_witness(tmp_path / "w.db", log.key).add_checkpoint(request(log, 0))
    log.append(entries(3))
    again = made_witness(tmp_path / "w.db", log.key)
    assert again.add_checkpoint(request(log, 0)).status == 409
    assert again.add_checkpoint(request(log, 5)).status == 200


def test_a_state_that_cannot_be_used_cosigns_nothing(log: Log, tmp_path: Path) -> None:
    (tmp_path / "w.db").write_bytes(b"no database" * 100)
    with pytest.raises(UsageError, match="state"):
        made_witness(tmp_path / "w.db", log.key)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old -1\n\nx",
        b"old 00\n\nx",
        b"old 99999999999999999999\n\nx",
        b"new 0\n\nx",
        b"old 0\nnot base64\n\nx",
        b"old 0\n" + b"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 64 + b"\nx",
        b"\xff\n\nx",
        bytes(SIZE + 1),
    ],
    ids=[
        "empty", "no blank line", "negative", "leading zero", "too large", "another word",
        "no base64", "too many nodes", "no text", "endless",
    ],
)  # fmt: skip
def test_malformed_requests(witness: Witness, body: bytes) -> None:
    with pytest.raises(NoteError):
        notes.parse(parse(body).note)
    assert witness.add_checkpoint(body).status == 400


# -- asking witnesses --------------------------------------------------------------------------


@contextmanager
def served(answer: Callable[[bytes], Reply]) -> Iterator[str]:
    gone = threading.Event()

    class Answering:
        def add_checkpoint(self, body: bytes) -> Reply:
            # connections that are kept open outlive the server that took them
            return Reply(404, b"gone\n") if gone.is_set() else answer(body)

    server = WitnessServer(("127.0.0.1", 0), Answering(), lambda _: None)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        gone.set()
        server.shutdown()
        server.server_close()
        thread.join()


def policy_of(quorum: str, *witnesses: tuple[VerifierKey, str]) -> WitnessPolicy:
    lines = [f"witness w{at} {key.render()} {url}" for at, (key, url) in enumerate(witnesses)]
    names = " ".join(f"w{at}" for at in range(len(witnesses)))
    text = "\n".join([*lines, f"group all {quorum} {names}", "quorum all"]) + "\n"
    return parse_policy(text.encode())


def test_cosignatures_are_kept_and_make_a_ledger_witnessed(log: Log, tmp_path: Path) -> None:
    two = [made_witness(tmp_path / f"w{at}.db", log.key, name=f"w{at}.example") for at in (1, 2)]
    with served(two[0].add_checkpoint) as first, served(two[1].add_checkpoint) as second:
        policy = policy_of("2", (two[0].key, first), (two[1].key, second))
        note = log.checkpoint()[1]
        result = cosign(log, note, policy, OpenOptions())
        assert (result.met, result.names, result.findings) == (True, ["w0", "w1"], [])
        log.add_cosignatures(note, result.require())
        assert audit(log, witnesses=policy).sound
        log.append(entries(300))
        assert [one.code for one in audit(log, witnesses=policy).findings] == [
            "ledger-not-witnessed"
        ]
        note = log.checkpoint()[1]
        log.add_cosignatures(note, cosign(log, note, policy, OpenOptions()).require())
        assert audit(log, witnesses=policy).witnesses == ["w1.example", "w2.example"]


def test_n_of_m_where_one_is_down(log: Log, witness: Witness) -> None:
    gone = signer("gone.example", KeyType.COSIGNATURE).verifier
    with served(witness.add_checkpoint) as url:
        for needed, met in (("1", True), ("2", False)):
            policy = policy_of(needed, (witness.key, url), (gone, "http://127.0.0.1:1/"))
            result = cosign(log, log.checkpoint()[1], policy, OpenOptions())
            assert (result.met, result.names) == (met, ["w0"])
            assert [found.code for found in result.findings] == ["ledger-not-witnessed"]
        with pytest.raises(AssayError, match="ledger-not-witnessed"):
            result.require()


def test_each_append_is_cosigned_where_that_is_asked_for(
    log: Log, witness: Witness, tmp_path: Path
) -> None:
    log.store.close()
    with served(witness.add_checkpoint) as url:
        policy = policy_of("1", (witness.key, url))
        witnessed = Log(
            Store(str(tmp_path / "ledger.db")),
            log._signer,
            lambda own, note: cosign(own, note, policy, OpenOptions()).require(),
        )
        for _ in range(3):
            sealed = witnessed.append(entries(2))
            assert len(notes.confirmations(notes.parse(sealed.checkpoint), [witness.key])) == 1
    with pytest.raises(AssayError, match="ledger-not-witnessed"):
        witnessed.append(entries(1))
    assert audit(witnessed).size == 12, "what was recorded stays recorded"


def test_a_rolled_back_ledger_is_found_by_its_witness(
    log: Log, witness: Witness, tmp_path: Path
) -> None:
    log.store.close()
    shutil.copy(tmp_path / "ledger.db", tmp_path / "old.db")
    again = Log(Store(str(tmp_path / "ledger.db")), log._signer)
    again.append(entries(9))
    witness.add_checkpoint(request(again, 0))
    shutil.rmtree(tmp_path / "state")
    back = Log(Store(str(tmp_path / "old.db")), log._signer)
    with served(witness.add_checkpoint) as url:
        policy = policy_of("1", (witness.key, url))
        result = cosign(back, back.checkpoint()[1], policy, OpenOptions())
        assert [found.code for found in result.findings] == ["ledger-rolled-back"]
        back.append(entries(9, "another history"))
        result = cosign(back, back.checkpoint()[1], policy, OpenOptions())
        assert [found.code for found in result.findings] == ["ledger-forked"]
        back.append(entries(9, "and longer"))
        result = cosign(back, back.checkpoint()[1], policy, OpenOptions())
        assert [found.code for found in result.findings] == ["ledger-forked"]
        with pytest.raises(AssayError, match="ledger-forked"):
            result.require()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b""),
        Reply(200, b"nothing of the kind\n"),
        Reply(200, "\u2014 w1.example AAAAAAAAAAAA\n".encode()),
        Reply(409, b"-5\n", "text/x.tlog.size"),
        Reply(409, b"2\n", "text/x.tlog.size"),
        Reply(403, b"no\n"),
        Reply(418, b"no\n"),
    ],
    ids=["nothing", "no lines", "another key", "no size", "other sizes", "refused", "odd status"],
)
def test_lying_witness(log: Log, reply: Reply) -> None:
    key = signer("w1.example", KeyType.COSIGNATURE).verifier
    with served(lambda _: reply) as url:
        result = cosign(log, log.checkpoint()[1], policy_of("1", (key, url)), OpenOptions())
    assert (result.met, result.lines) == (False, b"")
    assert len(result.findings) == 1


def test_cosignature_of_another_checkpoint(log: Log, witness: Witness) -> None:
    """A witness's line is copied from an older checkpoint onto a newer one."""
    old = witness.add_checkpoint(request(log, 0))
    log.append(entries(1))
    with served(lambda _: old) as url:
        policy = policy_of("1", (witness.key, url))
        result = cosign(log, log.checkpoint()[1], policy, OpenOptions())
    assert not result.met
    log.add_cosignatures(log.checkpoint()[1], old.body)
    codes = {found.code for found in audit(log, witnesses=policy).findings}
    assert codes == {"ledger-checkpoint-invalid", "ledger-not-witnessed"}


def test_without_a_network_nobody_is_asked(log: Log, witness: Witness) -> None:
    policy = policy_of("1", (witness.key, "http://127.0.0.1:1/"))
    with pytest.raises(AssayError, match="offline"):
        cosign(log, log.checkpoint()[1], policy, OpenOptions(offline=True))


# -- the whole of it, as users have it ---------------------------------------------------------


@contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[str, str]]:
    """A witness in a process of its own: its key and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "ledger", "witness", *words, "--listen", "127.0.0.1:0"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        key = process.stdout.readline().strip()
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found, process.stderr.read()
        yield key, found[0]
    finally:
        process.terminate()
        process.communicate()


def test_a_ledger_and_two_witnesses(tmp_path: Path) -> None:
    def assay(*words: str, status: int = 0) -> str:
        done = assay_here(*words, cwd=tmp_path)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    (tmp_path / "disk.img").write_bytes(b"content")
    for name in ("ledger", "one", "two"):
        assay("key", "generate", f"{name}.key", "--kind", "ed25519", "--no-passphrase")
    verifier = assay(
        "ledger", "init", "v.db", "--key", "ledger.key", "--origin", "v.example"
    ).strip()
    record = ["verify", "disk.img", "--self-consistent", "--ledger", "v.db", "--ledger-key",
              "ledger.key", "--ledger-witnesses", "witnesses"]  # fmt: skip
    one = ["--key", "one.key", "--name", "one.example", "--log", verifier, "--state", "one.db"]
    two = ["--key", "two.key", "--name", "two.example", "--log", verifier, "--state", "two.db"]
    with running(tmp_path, *one) as (first, at_first):
        with running(tmp_path, *two) as (second, at_second):
            (tmp_path / "witnesses").write_text(
                f"witness a {first} {at_first}\nwitness b {second} {at_second}\n"
                "group both all a b\nquorum both\n"
            )
            assay(*record)
            assay("ledger", "verify", "v.db", "--witness-policy", "witnesses")
            said = assay("ledger", "cosign", "v.db", "--witness-policy", "witnesses")
            assert said == "cosigned by a, b\n"
            assay("ledger", "prove", "v.db", "0", "-o", "0.proof")
            proof = ["ledger", "verify", "--proof", "0.proof", "--verifier-key", verifier]
            assay(*proof, "--witness-policy", "witnesses")
            assay(*proof, "--witness", first, "--witness", second, "--quorum", "2")
        said = assay(*record, status=3)
        assert "ledger-not-witnessed" in said
        said = assay("ledger", "verify", "v.db", "--witness-policy", "witnesses", status=1)
        assert "2 of one.example, two.example" in said
        assay("ledger", "verify", "v.db", "--witness", first, "--quorum", "2", status=2)
