"""notation's trust policies with --policy, for images and for files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assay.cli.main import cli
from assay.model.finding import UsageError
from assay.policy_import.load import load_policy, read_policy
from tests.support import notary
from tests.support.certificates import NOW, Holder, root

Json = dict[str, Any]


def write(folder: Path, *policies: Json, name: str = "trustpolicy.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"version": "1.0", "trustPolicies": list(policies)}))
    return path


def policy(**more: Any) -> Json:
    return {
        "name": "it",
        "registryScopes": ["*"],
        "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:ours"],
        "trustedIdentities": ["*"],
    } | more


def store(folder: Path, name: str, authority: Holder) -> None:
    place = folder / "x509" / "ca" / name
    place.mkdir(parents=True)
    (place / "root.pem").write_bytes(authority.pem)


def test_what_a_policy_means(tmp_path: Path) -> None:
    skip = {"name": "none", "registryScopes": ["r.test/skip"]}
    skip["signatureVerification"] = {"level": "skip"}
    audit = policy(name="log", registryScopes=["r.test/log"])
    audit["signatureVerification"] = {"level": "audit"}
    path = write(tmp_path, policy(registryScopes=["r.test/app"]), audit, skip)
    store(tmp_path / "truststore", "ours", root("ours"))
    done = CliRunner().invoke(cli, ["policy", "import", str(path)])
    assert done.exit_code == 0
    assert "a Notary signature by anybody below ca:ours, level strict" in done.output
    found = load_policy(str(path))
    applied = found.apply("docker://r.test/app:1")
    assert not applied.demands[0].advisory
    assert found.apply("docker://r.test/log:1").demands[0].advisory
    assert found.apply("docker://r.test/skip:1").findings[0].code == "policy-accepts-anything"
    nothing = found.apply("docker://r.test/other:1")
    assert nothing.findings[0].code == "policy-no-match"
    assert not nothing.demands


def test_trust_stores_lie_beside_it_or_where_the_user_says(tmp_path: Path) -> None:
    path = write(tmp_path, policy())
    with pytest.raises(UsageError, match="trust store"):
        load_policy(str(path)).apply("docker://r.test/app:1")
    store(tmp_path / "elsewhere", "ours", root("ours"))
    for given in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "x509"):
        assert load_policy(str(path), str(given)).apply("docker://r.test/app:1").requirements


def test_a_policy_that_is_in_no_file_has_no_trust_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever directory one happens to be in is not believed."""
    store(tmp_path / "truststore", "ours", root("ours"))
    monkeypatch.chdir(tmp_path)
    found = read_policy(write(tmp_path, policy()).read_bytes(), "it")
    with pytest.raises(UsageError, match="--trust-store"):
        found.apply("docker://r.test/app:1")


@pytest.mark.parametrize(
    "text",
    [
        '{"trustPolicies": []}',
        '{"version": "1.0", "trustPolicies": []}',
        '{"version": "1.0", "trustPolicies": {}}',
        '{"version": "1.0", "trustPolicies": [1]}',
        '{"version": "1.0", "trustPolicies": [{"registryScopes": []}]}',
        '{"version": "2.0", "trustPolicies": [{"registryScopes": ["*"]}]}',
    ],
)
def test_a_policy_that_is_not_as_its_schema_says_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "trustpolicy.json").write_text(text)
    with pytest.raises(UsageError):
        load_policy(str(tmp_path / "trustpolicy.json"))


def test_options_without_a_policy_make_no_sense(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"x")
    for option in (["--trust-store", str(tmp_path)], ["--allow-partial"]):
        done = CliRunner().invoke(cli, ["verify", str(tmp_path / "image"), *option])
        assert done.exit_code == 2
        assert "is for a --policy" in done.output


def test_files_by_the_policy_for_files(tmp_path: Path) -> None:
    ours, theirs = root("ours"), root("theirs")
    leaf = notary.signer(ours)
    content = b"content" * 1000
    (tmp_path / "disk.img").write_bytes(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    payload = notary.payload(digest, len(content), "application/octet-stream")
    (tmp_path / "disk.img.jws.sig").write_bytes(notary.jws(leaf, payload, [leaf, ours]))
    stores = tmp_path / "stores"
    store(stores, "ours", ours)
    store(stores, "theirs", theirs)
    blob = {key: value for key, value in policy().items() if key != "registryScopes"}
    for name, status in (("ours", 0), ("theirs", 1)):
        asked = blob | {"trustStores": [f"ca:{name}"], "globalPolicy": True}
        path = write(tmp_path, asked, name="trustpolicy.blob.json")
        done = CliRunner().invoke(
            cli,
            [
                "verify", str(tmp_path / "disk.img"), "--policy", str(path),
                "--trust-store", str(stores), "--at", NOW.isoformat(),
            ],
        )  # fmt: skip
        assert done.exit_code == status, done.output
