"""Trusted roots through TUF: updates, the copy kept here, and the attacks that TUF is against."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tuf")

from securesystemslib.signer import CryptoSigner

from assay.model.finding import AssayError, Finding, UsageError
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from assay.trust.tuf import client, instances
from assay.trust.tuf.instances import Instance
from tests.support.offline import no_sockets
from tests.support.sigstore import IDENTITY, ISSUER
from tests.support.sigstore import Instance as Sigstore
from tests.support.tuf import Repository, serving

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "sigstore-root"
ONLINE, OFFLINE = OpenOptions(), OpenOptions(offline=True)
SECOND = timedelta(seconds=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def sigstore() -> Sigstore:
    return Sigstore()


@pytest.fixture
def repository(sigstore: Sigstore) -> Repository:
    return Repository({"trusted_root.json": json.dumps(sigstore.trusted_root()).encode()})


@pytest.fixture
def mirror(repository: Repository) -> Iterator[str]:
    with serving(repository) as address:
        yield address


@pytest.fixture
def instance(repository: Repository, mirror: str) -> Instance:
    return instances.remember(
        "default", mirror, repository.first_root, "trusted_root.json", replace=False
    )


def refused(
    instance: Instance, options: OpenOptions = ONLINE, at: datetime | None = None
) -> Finding:
    with pytest.raises(AssayError) as caught:
        client.obtain(instance, at or now(), options, fresh=timedelta(0))
    return caught.value.finding


# updates


def test_a_trusted_root_is_fetched_and_kept(repository: Repository, instance: Instance) -> None:
    found = client.obtain(instance, now(), ONLINE)
    assert found.data == repository.targets["trusted_root.json"]
    assert [role.version for role in found.roles.all] == [1, 1, 1, 1]
    assert not found.findings


def test_within_a_day_no_connection_is_made(repository: Repository, instance: Instance) -> None:
    client.obtain(instance, now(), ONLINE)
    with no_sockets():
        found = client.obtain(instance, now(), ONLINE)
    assert found.data == repository.targets["trusted_root.json"]


def test_an_older_copy_is_refreshed_with_two_requests(
    repository: Repository, instance: Instance
) -> None:
    client.obtain(instance, now(), ONLINE)
    repository.requests.clear()
    (instance.copy / "checked").write_text((now() - timedelta(hours=25)).isoformat())
    client.obtain(instance, now(), ONLINE)
    assert repository.requests == ["2.root.json", "timestamp.json"]


def test_a_copy_from_the_future_is_refreshed(repository: Repository, instance: Instance) -> None:
    client.obtain(instance, now(), ONLINE)
    repository.requests.clear()
    (instance.copy / "checked").write_text((now() + timedelta(hours=25)).isoformat())
    client.obtain(instance, now(), ONLINE)
    assert repository.requests


def test_a_new_trusted_root_arrives(repository: Repository, instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    repository.targets["trusted_root.json"] += b"\n"
    repository.publish()
    assert client.update(instance, now(), ONLINE).data == repository.targets["trusted_root.json"]


def test_the_keys_of_the_root_are_exchanged(repository: Repository, instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    repository.rotate_root()
    repository.rotate_root()
    assert client.update(instance, now(), ONLINE).roles.all[0].version == 3
    with no_sockets():
        assert client.obtain(instance, now(), OFFLINE).roles.all[0].version == 3


def test_a_damaged_copy_is_fetched_again(repository: Repository, instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    (instance.copy / "targets" / "trusted_root.json").write_bytes(b"{}")
    (instance.copy / "metadata" / "snapshot.json").write_bytes(b"{}")
    assert client.obtain(instance, now(), ONLINE).data == repository.targets["trusted_root.json"]


# the copy, without a network


def test_offline_makes_no_connection_and_says_how_old_the_copy_is(
    repository: Repository, instance: Instance
) -> None:
    client.update(instance, now(), ONLINE)
    (instance.copy / "checked").write_text((now() - timedelta(days=2, minutes=1)).isoformat())
    with no_sockets():
        found = client.obtain(instance, now(), OFFLINE)
    assert found.data == repository.targets["trusted_root.json"]
    [note] = found.findings
    assert note.code == "tuf-offline-copy"
    assert "2 d ago" in note.detail
    assert f"{repository.timestamp.expires:%Y-%m-%d}" in note.detail


def test_offline_without_a_copy(instance: Instance) -> None:
    with no_sockets():
        assert refused(instance, OFFLINE).code == "tuf-never-fetched"


def test_offline_with_an_expired_copy(repository: Repository, instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    at = repository.timestamp.expires
    with no_sockets():
        client.obtain(instance, at - SECOND, OFFLINE)
        finding = refused(instance, OFFLINE, at)
    assert finding.code == "tuf-metadata-expired"
    assert "timestamp, version 1" in finding.detail


@pytest.mark.parametrize("role", ["root", "snapshot", "targets"])
def test_each_role_can_expire(repository: Repository, instance: Instance, role: str) -> None:
    roles = {
        "root": repository.root,
        "snapshot": repository.snapshot,
        "targets": repository.listed,
    }
    roles[role].expires = now().replace(microsecond=0) + timedelta(hours=1)
    if role == "root":
        repository.root.version += 1
        repository.publish_root()
    repository.publish()
    client.update(instance, now(), ONLINE)
    finding = refused(instance, OFFLINE, now() + timedelta(hours=2))
    assert finding.code == "tuf-metadata-expired"
    assert role in finding.detail


def test_a_damaged_copy_offline(instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    (instance.copy / "targets" / "trusted_root.json").write_bytes(b"{}")
    assert refused(instance, OFFLINE).code == "tuf-metadata-inconsistent"


def test_a_copy_that_somebody_exchanged_is_not_believed(instance: Instance) -> None:
    client.update(instance, now(), ONLINE)
    forged = Repository({"trusted_root.json": b"{}"})
    for role in ("timestamp", "snapshot", "targets"):
        data = forged.files.get(f"{role}.json") or forged.files[f"1.{role}.json"]
        (instance.copy / "metadata" / f"{role}.json").write_bytes(data)
    (instance.copy / "targets" / "trusted_root.json").write_bytes(b"{}")
    assert refused(instance, OFFLINE).code == "tuf-metadata-unsigned"


@pytest.mark.parametrize("status", [403, 404, 503])
def test_an_outage_is_told_and_the_copy_counts_until_it_expires(
    repository: Repository, instance: Instance, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.sources.http.retry.wait", lambda _: None)
    client.update(instance, now(), ONLINE)
    repository.failing = status
    found = client.obtain(instance, now(), ONLINE, fresh=timedelta(0))
    assert [finding.code for finding in found.findings] == ["tuf-not-refreshed"]
    finding = refused(instance, ONLINE, repository.timestamp.expires)
    assert finding.code == "tuf-unreachable"


# attacks


def test_arbitrary_software_attack_metadata_of_other_keys(
    repository: Repository, instance: Instance
) -> None:
    client.update(instance, now(), ONLINE)
    repository.signers["timestamp"] = CryptoSigner.generate_ecdsa()
    repository.timestamp.version += 1
    repository.publish_timestamp()
    assert refused(instance).code == "tuf-metadata-unsigned"


def test_arbitrary_software_attack_another_target(
    repository: Repository, instance: Instance
) -> None:
    [path] = [path for path in repository.files if path.startswith("targets/")]
    data = repository.files[path]
    repository.files[path] = bytes([data[0] ^ 1]) + data[1:]
    assert refused(instance).code == "tuf-metadata-inconsistent"


def test_another_root_than_the_one_given(instance: Instance) -> None:
    other = Repository({"trusted_root.json": b"{}"})
    with serving(other) as address:
        wrong = instances.remember(
            "other", address, instance.root, "trusted_root.json", replace=False
        )
        assert refused(wrong).code == "tuf-metadata-unsigned"


def test_key_compromise_a_root_that_the_old_keys_do_not_vouch_for(
    repository: Repository, instance: Instance
) -> None:
    repository.root.version += 1
    repository.publish_root(CryptoSigner.generate_ecdsa())
    assert refused(instance).code == "tuf-metadata-unsigned"


def test_rollback_attack_on_the_timestamp(repository: Repository, instance: Instance) -> None:
    old = repository.files["timestamp.json"]
    repository.publish()
    client.update(instance, now(), ONLINE)
    repository.files["timestamp.json"] = old
    assert refused(instance).code == "tuf-rollback"


def test_rollback_attack_on_the_snapshot(repository: Repository, instance: Instance) -> None:
    """With the timestamp's key, which is online: a newer timestamp points to an older snapshot."""
    repository.publish()
    client.update(instance, now(), ONLINE)
    repository.timestamp.version += 1
    repository.timestamp.snapshot_meta.version = 1
    repository.publish_timestamp()
    assert refused(instance).code == "tuf-rollback"


@pytest.mark.parametrize("gone", [False, True])
def test_rollback_attack_on_the_targets(
    repository: Repository, instance: Instance, gone: bool
) -> None:
    """With the snapshot's key: a newer snapshot lists older targets, or none."""
    repository.publish()
    client.update(instance, now(), ONLINE)
    if gone:
        del repository.snapshot.meta["targets.json"]
        repository.publish_snapshot()
    else:
        repository.listed.version = 0
        repository.publish()
    assert refused(instance).code == "tuf-rollback"


def test_freeze_attack(repository: Repository, instance: Instance) -> None:
    """The same metadata is offered for ever: it ends when it expires, and no sooner."""
    client.update(instance, now(), ONLINE)
    at = repository.timestamp.expires
    client.obtain(instance, at - SECOND, ONLINE, fresh=timedelta(0))
    finding = refused(instance, ONLINE, at)
    assert finding.code == "tuf-metadata-expired"
    assert f"{at:%Y-%m-%d}" in finding.actual


def test_mix_and_match_attack_on_the_snapshot(repository: Repository, instance: Instance) -> None:
    old = repository.files["1.snapshot.json"]
    repository.publish()
    repository.files["2.snapshot.json"] = old
    assert refused(instance).code == "tuf-metadata-inconsistent"


def test_mix_and_match_attack_on_the_targets(repository: Repository, instance: Instance) -> None:
    old = repository.files["1.targets.json"]
    repository.publish()
    repository.files["2.targets.json"] = old
    assert refused(instance).code == "tuf-metadata-inconsistent"


def test_mix_and_match_attack_without_digests_in_the_metadata(
    repository: Repository, instance: Instance
) -> None:
    """As the public-good repository has it: versions alone bind snapshot and timestamp."""
    old = repository.files["1.snapshot.json"]
    repository.publish()
    repository.files["2.snapshot.json"] = old
    meta = repository.timestamp.snapshot_meta
    meta.length, meta.hashes = None, None
    repository.publish_timestamp()
    assert refused(instance).code == "tuf-metadata-inconsistent"


@pytest.mark.parametrize("path", ["2.root.json", "timestamp.json", "1.snapshot.json"])
def test_endless_data_attack(repository: Repository, instance: Instance, path: str) -> None:
    repository.endless = path
    finding = refused(instance)
    assert finding.code == "body-too-large"
    assert "at most" in finding.expected


def test_endless_data_attack_on_the_target(repository: Repository, instance: Instance) -> None:
    [repository.endless] = [path for path in repository.files if path.startswith("targets/")]
    assert refused(instance).code == "body-too-large"


def test_endless_roots(
    repository: Repository, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.trust.tuf import workflow

    monkeypatch.setattr(workflow._CONFIG, "max_root_rotations", 3)
    for _ in range(5):
        repository.rotate_root()
    client.update(instance, now(), ONLINE)
    assert max(path for path in repository.requests if path.endswith(".root.json")) == "4.root.json"


def test_extraneous_dependencies_a_target_beyond_all_bounds(
    repository: Repository, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.limits.TRUSTED_ROOT_SIZE", 10)
    assert refused(instance).code == "tuf-metadata-malformed"
    assert not any(path.startswith("targets/") for path in repository.requests)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"<html>", b"[" * 10_000, b'{"signed":{"_type":"timestamp"},"signatures":[]}'],
    ids=["empty", "object", "portal", "deep", "partial"],
)
def test_a_page_that_is_no_metadata(
    repository: Repository, instance: Instance, data: bytes
) -> None:
    repository.files["timestamp.json"] = data
    assert refused(instance).code == "tuf-metadata-malformed"


def test_no_trusted_root_in_the_repository(repository: Repository, instance: Instance) -> None:
    repository.targets = {"another.json": b"{}"}
    repository.publish()
    assert refused(instance).code == "tuf-metadata-malformed"


def test_nothing_is_fallen_back_on_once_a_repository_has_offered_something_wrong(
    repository: Repository, instance: Instance
) -> None:
    client.update(instance, now(), ONLINE)
    repository.files["timestamp.json"] = b"{}"
    assert refused(instance).code == "tuf-metadata-malformed"
    assert client.obtain(instance, now(), OFFLINE).data  # what was there is unharmed


# instances


def test_an_instance_is_not_exchanged_by_the_way(instance: Instance, mirror: str) -> None:
    other = Repository({"trusted_root.json": b"{}"})
    with pytest.raises(UsageError, match="--replace"):
        instances.remember("default", mirror, other.first_root, "trusted_root.json", replace=False)
    assert instances.load("default") == instance
    instances.remember("default", mirror, other.first_root, "trusted_root.json", replace=True)
    assert instances.load("default").root == other.first_root
    assert instances.load("default").copy != instance.copy


@pytest.mark.usefixtures("instance")
def test_a_root_file_that_was_exchanged_in_the_configuration() -> None:
    (instances.folder() / "default" / "root.json").write_bytes(b"{}")
    with pytest.raises(UsageError, match="is not the root"):
        instances.load("default")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", ".hidden", "x" * 65])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError):
        instances.remember(name, "https://tuf.example", b"{}", "trusted_root.json", replace=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tuf", "no TUF instance is called 'default'"),
        ("tuf:corp", "no TUF instance is called 'corp'"),
        ("https://tuf.example", "no root is known for it"),
    ],
)
def test_what_is_not_known_is_not_asked(text: str, why: str) -> None:
    with no_sockets(), pytest.raises(UsageError, match=why):
        Trust().add_tuf_root(text, ONLINE, now())


# as part of a verification


@pytest.fixture
def signed(tmp_path: Path, sigstore: Sigstore) -> Path:
    image = tmp_path / "disk.img"
    image.write_bytes(b"content")
    bundle = sigstore.sign(b"content")
    (tmp_path / "disk.img.sigstore.json").write_text(json.dumps(bundle))
    return image


def _check(image: Path, name: str, options: OpenOptions, at: datetime) -> Any:
    trust = Trust().add_identity(IDENTITY, ISSUER).add_tuf_root(name, options, at)
    [verdict] = verify(str(image), VerifyOptions(trust, open=options, at=at))
    return verdict


def test_an_identity_is_checked_with_the_root_from_the_repository(
    signed: Path, instance: Instance
) -> None:
    for name in ("tuf", "tuf:default", instance.mirror):
        assert _check(signed, name, ONLINE, now()).exit_status == 0
    with no_sockets():
        verdict = _check(signed, "tuf", OFFLINE, now())
    assert verdict.exit_status == 0
    assert [finding.code for finding in verdict.findings] == ["tuf-offline-copy"]


def test_without_a_root_that_counts_nothing_is_decided(
    signed: Path, repository: Repository, instance: Instance
) -> None:
    client.update(instance, now(), ONLINE)
    verdict = _check(signed, "tuf", OFFLINE, repository.timestamp.expires)
    assert verdict.exit_status == 3
    assert verdict.findings[0].code == "tuf-metadata-expired"


# the public-good instance

# Its older roots name their keys in a way that the library reads and advises against; what was
# signed years ago stays as it is.
_old_keys = pytest.mark.filterwarnings("ignore:keytype 'ecdsa-sha2-nistp256' is deprecated")


class _PublicGood(BaseHTTPRequestHandler):
    """Serves the files of the repository as a mirror does."""

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        found: Path | None = None
        if re.fullmatch(r"\d+\.root\.json", path):
            found = VECTORS / "metadata" / "root_history" / path
        elif match := re.fullmatch(r"(?:\d+\.)?([a-z.]+\.json)", path):
            found = VECTORS / "metadata" / match[1]
        elif match := re.fullmatch(r"targets/[0-9a-f]{64,128}\.([\w.]+)", path):
            found = VECTORS / "targets" / match[1]
        data = found.read_bytes() if found is not None and found.is_file() else None
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def public_good() -> Iterator[str]:
    if not VECTORS.is_dir():
        pytest.skip("no test vectors")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _PublicGood)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@_old_keys
@pytest.mark.parametrize("version", [5, 10, 14, 15])
def test_the_public_good_instance_from_any_of_its_roots(public_good: str, version: int) -> None:
    root = (VECTORS / "metadata" / "root_history" / f"{version}.root.json").read_bytes()
    client.check_root(root)
    instance = instances.remember("default", public_good, root, instances.TARGET, replace=False)
    at = datetime(2026, 8, 27, tzinfo=UTC)
    found = client.obtain(instance, at, ONLINE)
    assert found.data == (VECTORS / "targets" / "trusted_root.json").read_bytes()
    assert [role.version for role in found.roles.all] == [15, 762, 165, 14]
    with no_sockets():
        assert client.obtain(instance, at, OFFLINE).data == found.data
    for options in (ONLINE, OFFLINE):
        finding = refused(instance, options, datetime(2026, 8, 28, 19, 25, 56, tzinfo=UTC))
        assert finding.code == "tuf-metadata-expired"
        assert "timestamp, version 762" in finding.detail


@_old_keys
@pytest.mark.parametrize("version", [1, 4])
def test_roots_from_before_the_specification_are_no_place_to_start(version: int) -> None:
    if not VECTORS.is_dir():
        pytest.skip("no test vectors")
    with pytest.raises(ValueError, match=r"Failed to deserialize|signed by 0/3"):
        client.check_root(
            (VECTORS / "metadata" / "root_history" / f"{version}.root.json").read_bytes()
        )
