"""Every vector of Project Wycheproof gives the result that it names; "acceptable" may be either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss, SignatureAlgorithm
from assay.crypto.check import confirms
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import read_spki
from assay.model.finding import AssayError

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"
FILES = [
    "ecdsa_secp256r1_sha256_test",
    "ecdsa_secp384r1_sha384_test",
    "ed25519_test",
    "mldsa_44_verify_test",
    "mldsa_65_verify_test",
    "mldsa_87_verify_test",
    "rsa_pss_2048_sha256_mgf1_32_test",
    "rsa_signature_2048_sha256_test",
]


def groups(name: str) -> Iterator[dict[str, Any]]:
    path = VECTORS / f"{name}.json"
    if not path.exists():
        pytest.skip("the vectors are not here")
    yield from json.loads(path.read_text())["testGroups"]


def digest_of(group: dict[str, Any]) -> str:
    return str(group["sha"]).lower().replace("-", "")


def algorithm_of(group: dict[str, Any], test: dict[str, Any]) -> SignatureAlgorithm:
    match group["type"]:
        case "EcdsaVerify":
            return Ecdsa(digest_of(group))
        case "RsassaPkcs1Verify":
            return RsaPkcs1(digest_of(group))
        case "RsassaPssVerify":
            return RsaPss(digest_of(group), salt_length=group["sLen"])
        case "EddsaVerify":
            return EdDsa()
        case "MlDsaVerify":
            return MlDsa(bytes.fromhex(test.get("ctx", "")))
        case other:
            raise AssertionError(other)


def key_of(group: dict[str, Any]) -> PublicKey | None:
    try:
        return read_spki(bytes.fromhex(group["publicKeyDer"]), "key")
    except AssayError:
        return None


def accepted(key: PublicKey | None, group: dict[str, Any], test: dict[str, Any]) -> bool:
    try:
        algorithm = algorithm_of(group, test)
    except ValueError:
        return False
    message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
    return key is not None and confirms(key, algorithm, signature, message)


@pytest.mark.parametrize("name", FILES)
def test_wycheproof(name: str) -> None:
    wrong = []
    for group in groups(name):
        key = key_of(group)
        for test in group["tests"]:
            if test["result"] == "acceptable":
                continue
            if accepted(key, group, test) != (test["result"] == "valid"):
                wrong.append((test["tcId"], test["result"], test["comment"]))
    assert wrong == []


def test_a_pss_signature_is_confirmed_whatever_its_salt_length() -> None:
    for group in groups("rsa_pss_2048_sha256_mgf1_32_test"):
        key = key_of(group)
        assert key is not None
        for test in group["tests"]:
            if test["result"] == "valid":
                assert confirms(
                    key, RsaPss("sha256"), bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
                )


def test_no_signature_with_pkcs1_padding_passes_for_pss_or_the_other_way_round() -> None:
    for name, algorithm in (
        ("rsa_pss_2048_sha256_mgf1_32_test", RsaPkcs1("sha256")),
        ("rsa_signature_2048_sha256_test", RsaPss("sha256")),
    ):
        for group in groups(name):
            key = key_of(group)
            assert key is not None
            for test in group["tests"]:
                message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
                if test["result"] == "valid":
                    assert not confirms(key, algorithm, signature, message)
