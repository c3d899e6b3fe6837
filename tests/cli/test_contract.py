"""The contract of the command line: exit statuses, and what is written where (DESIGN section 5)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from assay.cli.main import VERBS, cli
from tests.cli.support import ENVIRONMENT, SECONDS, assay, assay_here
from tests.signatures.support import run, tool
from tests.support.images import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Layout

CONTENT = b"assay" * 1000
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
OTHER = "sha256:" + hashlib.sha256(b"other").hexdigest()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    path = tmp_path / "SHA256SUMS"
    path.write_text(f"{DIGEST.removeprefix('sha256:')}  disk.img\n")
    return path


# exit status


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["verify", "disk.img", "--digest", DIGEST], 0),
        (["verify", "disk.img", "--digest", OTHER, "--digest", DIGEST], 0),
        (["verify", "disk.img", "--self-consistent"], 0),
        (["inspect", "disk.img"], 0),
        (["explain", "digest-mismatch"], 0),
        (["explain"], 0),
        (["schema"], 0),
        (["schema", "verdict-1"], 0),
        (["completion", "bash"], 0),
        (["--version"], 0),
        (["--help"], 0),
        (["verify", "-h"], 0),
        (["verify", "disk.img", "--digest", OTHER], 1),
        (["verify", "disk.img", "--self-consistent", "--digest", OTHER], 1),
        (["verify", "disk.img", "--all", "--digest", OTHER, "--digest", DIGEST], 1),
        ([], 2),
        (["no-such-verb"], 2),
        (["verify"], 2),
        (["verify", "disk.img", "--no-such-option"], 2),
        (["verify", "disk.img", "--digest", "sha256:12"], 2),
        (["verify", "disk.img", "--digest", "md5:" + "0" * 32], 2),
        (["verify", "disk.img", "--digest"], 2),
        (["verify", "disk.img", "--checksums", "missing"], 2),
        (["verify", "disk.img", "--key", "missing"], 2),
        (["verify", "disk.img", "--key", "disk.img"], 2),
        (["verify", "disk.img", "--signature", "missing", "--digest", DIGEST], 2),
        (["verify", "disk.img", "--type", "floppy", "--digest", DIGEST], 2),
        (["verify", "disk.img", "--format", "floppy"], 2),
        (["verify", "disk.img", "--at", "yesterday"], 2),
        (["verify", "disk.img", "--at", "0001-01-01T00:00:00+10:00"], 2),
        (["verify", "disk.img", "--timeout", "nan"], 2),
        (["verify", "disk.img", "--threshold", "0"], 2),
        (["verify", "disk.img", "--threshold", "2", "--digest", DIGEST], 2),
        (["verify", ""], 2),
        (["explain", "no-such-code"], 2),
        (["schema", "no-such-schema"], 2),
        (["completion", "tcsh"], 2),
        (["verify", "disk.img"], 3),
        (["verify", "missing.img", "--digest", DIGEST], 3),
        (["verify", ".", "--digest", DIGEST], 3),
        (["inspect", "missing.img"], 3),
    ],
)
def test_the_exit_status_says_what_became_of_it(
    image: Path, arguments: list[str], status: int
) -> None:
    done = assay_here(*arguments, cwd=image.parent)
    assert done.returncode == status, done.stdout + done.stderr
    if status == 2:
        assert done.stdout == ""
        assert done.stderr


@pytest.mark.parametrize(
    ("images", "status"),
    [
        (["good.img", "good.img"], 0),
        (["good.img", "bad.img"], 1),
        (["bad.img", "good.img", "missing.img"], 1),
        (["missing.img", "bad.img"], 1),
        (["good.img", "missing.img"], 3),
        (["missing.img", "good.img"], 3),
    ],
)
def test_of_several_images_each_gets_its_verdict_and_the_worst_decides(
    tmp_path: Path, images: list[str], status: int
) -> None:
    (tmp_path / "good.img").write_bytes(CONTENT)
    (tmp_path / "bad.img").write_bytes(CONTENT[:-1])
    done = assay_here("verify", *images, "--digest", DIGEST, cwd=tmp_path)
    assert done.returncode == status
    verdicts = {"good.img": "ALLOWED", "bad.img": "REFUSED", "missing.img": "NOT CHECKED"}
    for name in images:
        assert f"{verdicts[name]}  {name}" in done.stdout
    done = assay_here("verify", *images, "--digest", DIGEST, "--format", "json", cwd=tmp_path)
    assert done.returncode == status
    assert [verdict["image"] for verdict in json.loads(done.stdout)["verdicts"]] == images


# rules


def test_each_kind_of_anchor_has_to_vouch(image: Path, sums: Path) -> None:
    both = ("--digest", DIGEST, "--checksums", str(sums))
    assert assay("verify", str(image), *both).returncode == 0
    sums.write_text(f"{OTHER.removeprefix('sha256:')}  disk.img\n")
    done = assay("verify", str(image), *both)
    assert done.returncode == 1
    assert "not-vouched" in done.stdout


def test_a_threshold_counts_signers_and_not_signatures(image: Path) -> None:
    minisign = tool("minisign")
    for name in ("one", "two"):
        keys = ("-p", image.parent / f"{name}.pub", "-s", image.parent / f"{name}.key")
        run(minisign, "-G", "-W", *keys)
        run(minisign, "-S", "-s", keys[3], "-m", image, "-x", image.parent / f"{name}.minisig")
    one, two = (("--signature", f"{name}.minisig") for name in ("one", "two"))
    keys_of = {name: ("--key", f"{name}.pub") for name in ("one", "two")}
    asked = ("verify", "disk.img", "--threshold", "2")
    at = {"cwd": image.parent}
    assert assay(*asked, *keys_of["one"], *keys_of["two"], *one, *two, **at).returncode == 0
    assert assay(*asked, *keys_of["one"], *keys_of["two"], *one, **at).returncode == 1
    assert assay(*asked, *keys_of["one"], *keys_of["one"], *one, *one, **at).returncode == 1


def test_self_consistency_is_said_and_vouches_for_nothing(image: Path) -> None:
    done = assay("verify", str(image), "--self-consistent")
    assert "--self-consistent" in done.stdout
    assert "0.0 % of 4.9 KiB is vouched for" in done.stdout


@pytest.mark.parametrize("at", ["2026-11-24T12:00:00Z", "2026-11-24T13:00:00+01:00"])
def test_validity_is_judged_at_the_time_given(image: Path, at: str) -> None:
    done = assay("verify", str(image), "--digest", DIGEST, "--at", at, "--format", "json")
    assert json.loads(done.stdout)["verdicts"][0]["at"] == "2026-11-24T12:00:00Z"


# no connection


@pytest.mark.parametrize(
    "name",
    [
        "docker://registry.example/team/app:1.0",
        "registry.example/team/app",
        "https://downloads.example/disk.img",
        "docker://127.0.0.1:9/team/app",
        "disk.img",
    ],
)
def test_offline_makes_no_connection_at_all(image: Path, name: str) -> None:
    guard = (
        "import os, sys\n"
        "def guard(event, arguments):\n"
        "    if event in {'socket.connect', 'socket.getaddrinfo', 'socket.sendto'}:\n"
        "        os.write(2, event.encode()); os._exit(99)\n"
        "sys.addaudithook(guard)\n"
        "from assay.cli.main import main\n"
        "main()\n"
    )
    words = [sys.executable, "-c", guard, "verify", name, "--digest", DIGEST, "--offline"]
    done = subprocess.run(
        words, cwd=image.parent, capture_output=True, text=True, timeout=SECONDS, env=ENVIRONMENT
    )
    assert done.returncode == (0 if name == "disk.img" else 3), done.stdout + done.stderr
    if name != "disk.img":
        assert "offline" in done.stdout


# output


def test_quiet_says_nothing_but_the_exit_status(image: Path) -> None:
    for arguments, status in ((["--digest", DIGEST], 0), (["--digest", OTHER], 1), ([], 3)):
        for form in ("text", "json"):
            words = ("verify", str(image), *arguments, "-q", "--format", form)
            done = assay_here(*words, cwd=image.parent)
            assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    assert assay("verify", str(image), "-q", "--at", "never").stderr != ""


def test_an_answer_goes_to_standard_output_and_nothing_else_does(image: Path) -> None:
    done = assay("verify", str(image), "--digest", OTHER)
    assert "REFUSED" in done.stdout
    assert done.stderr == ""


def test_verbose_shows_the_path_of_trust(image: Path, sums: Path) -> None:
    name = str(image)
    assert "SHA256SUMS (given) > file" in assay("verify", name, "--checksums", sums, "-v").stdout
    assert "SHA256SUMS (given)" not in assay("verify", name, "--checksums", sums).stdout


def test_no_colour_where_the_output_is_no_terminal(image: Path) -> None:
    done = assay("verify", str(image), "--digest", OTHER, "-v", env={"TERM": "xterm-256color"})
    assert "\x1b" not in done.stdout + done.stderr


ANSWERS = {
    "verify": ["verify", "disk.img", "--digest", DIGEST],
    "verify as JSON": ["verify", "disk.img", "--digest", DIGEST, "--format", "json"],
    "inspect": ["inspect", "disk.img"],
    "inspect as JSON": ["inspect", "disk.img", "--format", "json"],
    "baseline": ["baseline", "disk.img"],
    "compare": ["compare", "disk.img", "disk.img"],
    "compare as JSON": ["compare", "disk.img", "disk.img", "--format", "json"],
    "explain": ["explain"],
    "schema": ["schema", "verdict-1"],
    "help": ["verify", "--help"],
    "version": ["--version"],
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_cannot_be_written_is_no_yes(image: Path, answer: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = assay(*ANSWERS[answer], cwd=image.parent, stdout=full)
    assert done.returncode == 3
    assert done.stderr == "assay: cannot write the answer: No space left on device\n"


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_reader_that_goes_away_is_no_yes(image: Path, answer: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = assay(*ANSWERS[answer], cwd=image.parent, stdout=closed)
    assert (done.returncode, done.stderr) == (3, "")


def test_closed_standard_streams(image: Path) -> None:
    shell = tool("sh")
    python, name = sys.executable, str(image)
    for closing, status in ((">&-", 3), ("2>&-", 0), ("<&-", 0), ("<&- 2>&-", 0)):
        line = f'"$0" -m assay verify "$1" --digest {DIGEST} {closing}'
        done = subprocess.run(
            [shell, "-c", line, python, name], capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == status, closing
        assert "Traceback" not in done.stderr


def test_a_locale_that_cannot_write_the_tree(image: Path) -> None:
    layout = Layout()
    name = layout.write(image.parent / "image", layout.image())
    done = assay("inspect", name, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()


# interruption


def _huge_file(folder: Path) -> str:
    path = folder / "huge.img"
    path.touch()
    os.truncate(path, 1 << 40)
    return str(path)


def _huge_layout(folder: Path) -> str:
    layout, size = Layout(), 1 << 40
    digests = ["sha256:" + letter * 64 for letter in "ab"]
    config = layout.document(
        {
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": digests},
        },
        OCI_CONFIG,
    )
    layers = [{"mediaType": OCI_LAYER, "digest": digest, "size": size} for digest in digests]
    manifest = layout.document(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers},
        OCI_MANIFEST,
    )
    name = layout.write(folder / "huge", manifest)
    for digest in digests:
        path = folder / "huge" / "blobs" / "sha256" / digest.removeprefix("sha256:")
        path.touch()
        os.truncate(path, size)
    return name


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs /proc/PID/io")
@pytest.mark.parametrize("make", [_huge_file, _huge_layout])
def test_an_interruption_ends_at_once_and_decides_nothing(tmp_path: Path, make: object) -> None:
    assert callable(make)
    try:
        name = make(tmp_path)
    except OSError as error:
        pytest.skip(f"no sparse files of this size here: {error}")
    words = [sys.executable, "-m", "assay", "verify", name]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            _wait_until_it_reads(process.pid, 200 << 20)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.strip() == "interrupted; nothing was decided"


@pytest.mark.parametrize("moment", range(8))
def test_an_interruption_at_the_very_start_leaves_no_traceback(tmp_path: Path, moment: int) -> None:
    """Silently while parts are still loaded, as any program ends, and later with one line."""
    script = (
        "import signal, sys\n"
        "from assay.cli.start import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "real = signal.signal\n"
        "def said(number, handler):\n"  # the first thing that `main` does
        "    signal.signal = real\n"
        "    real(number, handler)\n"
        "    sys.stdout.write('ready\\n')\n"
        "    sys.stdout.flush()\n"
        "signal.signal = said\n"
        "main()\n"
    )
    image = tmp_path / "huge.img"
    image.touch()
    os.truncate(image, 1 << 34)
    words = [sys.executable, "-c", script, "verify", str(image), "--digest", DIGEST]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.001 + moment * 0.04)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert stdout == ""
    assert (process.returncode, stderr.strip()) in {
        (-signal.SIGINT, ""),
        (130, "interrupted; nothing was decided"),
    }


def test_an_interruption_that_something_swallows_ends_the_process_all_the_same() -> None:
    script = (
        "import os, signal, time\n"
        "from assay.cli import main\n"
        "main.PATIENCE = 0.1\n"
        "def busy():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(1)\n"
        "    except KeyboardInterrupt:\n"
        "        time.sleep(600)\n"
        "main._run = busy\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "main.main(signal.default_int_handler)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "interrupted; nothing was decided\n")


def test_an_interruption_while_a_server_keeps_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"docker://127.0.0.1:{server.getsockname()[1]}/team/app:1"
        words = [sys.executable, "-m", "assay", "verify", name, "--timeout", "3600", "--plain-http"]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as process:
            try:
                server.settimeout(SECONDS)
                connection, _ = server.accept()
                process.send_signal(signal.SIGINT)
                stdout, stderr = process.communicate(timeout=60)
                connection.close()
            finally:
                process.kill()
    assert process.returncode == 130
    assert (stdout, stderr.strip()) == ("", "interrupted; nothing was decided")


def _wait_until_it_reads(pid: int, amount: int) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        text = Path(f"/proc/{pid}/io").read_text()
        if int(text.split()[1]) > amount:
            return
        time.sleep(0.05)
    raise AssertionError("it does not read")


# terminals


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_lines_fit_and_are_coloured(image: Path, columns: int) -> None:
    script = shutil.which("script")
    if script is None:
        pytest.skip("script is not installed")
    command = f"stty cols {columns}; {sys.executable} -m assay verify disk.img --digest {OTHER}"
    done = subprocess.run(
        [script, "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=image.parent,
        timeout=SECONDS,
        env=ENVIRONMENT | {"TERM": "xterm"},
    )
    assert done.returncode == 1
    assert "\x1b[1;31mREFUSED\x1b[0m" in done.stdout
    for line in done.stdout.splitlines():
        bare = re.sub(r"\x1b\[[0-9;]*m", "", line)
        assert len(bare) <= max(columns, 6 + len(max(bare.split(), key=len, default=""))), bare


# help


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_worked_examples(verb: str, tmp_path: Path) -> None:
    done = assay_here(verb, "--help", cwd=tmp_path)
    assert done.returncode == 0
    examples = [line.strip() for line in done.stdout.splitlines() if line.startswith("    assay ")]
    assert any(line.startswith(f"assay {verb}") for line in examples)
    assert max(map(len, done.stdout.splitlines())) <= 88
    for line in examples:
        # an example is a command line that can be understood
        words = shlex.split(line.partition("|")[0].partition(">")[0])
        command = cli.get_command(
            cli.make_context("assay", ["x"], resilient_parsing=True), words[1]
        )
        if isinstance(command, click.Group):
            words = words[1:]
            command = command.get_command(click.Context(command), words[1])
        assert command is not None
        with contextlib.suppress(SystemExit):
            command.make_context(words[1], words[2:], resilient_parsing=True)
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words[2:] if word.startswith("--")} <= known, line


def test_every_option_is_explained_under_one_heading(tmp_path: Path) -> None:
    text = assay_here("verify", "--help", cwd=tmp_path).stdout
    for option in (
        "--digest",
        "--eku",
        "--signature",
        "--platform",
        "--offline",
        "--format",
        "--all",
    ):
        assert sum(line.startswith(f"  {option} ") for line in text.splitlines()) == 1
    assert text.index("What to trust:") < text.index("  --digest ") < text.index("How to reach it:")
    assert "IMAGE..." not in text.partition("Options:")[2]
