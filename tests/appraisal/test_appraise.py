"""The rules of appraisal, shown with literals."""

from __future__ import annotations

import msgspec
import pytest

from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule, Case
from assay.model.anchor import Anchor, Signer, Voucher
from assay.model.claim import ChunksAre, Claim, DigestIs
from assay.model.codes import content as codes
from assay.model.component import Component, Slice
from assay.model.digest import Digest
from assay.model.finding import Finding
from assay.model.measurement import ChunkRequest
from assay.model.signature import Signature, SignatureOutcome, Status
from assay.model.verdict import Answer, Decision, State, Verdict
from tests.appraisal.support import case, image, put, says, sha256, stored


def _codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def test_trust_flows_from_the_digest_through_the_manifest_to_every_byte() -> None:
    verdict = appraise(image())
    assert verdict.decision is Decision.ALLOWED
    assert (verdict.intact, verdict.authentic) == (Answer.YES, Answer.YES)
    assert verdict.coverage.fraction == 1
    assert {component.state for component in verdict.components} == {State.BOUND}
    assert not verdict.findings


def test_a_wrong_layer_is_broken_and_the_rest_stays_bound() -> None:
    verdict = appraise(image(layer=b"Layer"))
    assert verdict.decision is Decision.REFUSED
    assert _codes(verdict) == {"digest-mismatch"}
    assert verdict.coverage.broken == 5
    assert verdict.coverage.bound == len(b"manifest")


def test_a_short_layer_is_told_apart_from_a_changed_one() -> None:
    short = appraise(image(layer=b"laye"))
    causes = {finding.cause for finding in short.findings if finding.component == "layer"}
    assert causes == {"truncation"}


def test_an_image_rebuilt_under_another_root_is_named_as_such() -> None:
    verdict = appraise(image(root_digest=b"the manifest that was published"))
    assert {"digest-mismatch", "rewritten-consistently"} <= _codes(verdict)


def test_damage_below_a_wrong_root_is_no_consistent_rewrite() -> None:
    verdict = appraise(image(layer=b"Layer", root_digest=b"other"))
    assert "rewritten-consistently" not in _codes(verdict)


def test_without_an_anchor_nothing_is_authentic() -> None:
    made = image()
    made.anchors.clear()
    made.claims = [claim for claim in made.claims if claim.origin != "digest:1"]
    verdict = appraise(made)
    assert verdict.decision is Decision.UNCHECKED
    assert verdict.exit_status == 3
    assert verdict.authentic is Answer.UNKNOWN
    made.rule = BuiltInRule(self_consistent=True)
    accepted = appraise(made)
    assert accepted.decision is Decision.ALLOWED
    assert accepted.self_consistent
    assert accepted.authentic is Answer.UNKNOWN


def test_md5_detects_damage_and_never_gives_authenticity() -> None:
    made = case()
    put(made, stored("file"), b"data")
    put(made, stored("MD5SUMS", external=True), b"sums")
    made.anchors.append(Anchor("checksums:1", "checksums", "MD5SUMS"))
    made.vouchers.append(Voucher("checksums:1", "MD5SUMS", "given"))
    import hashlib

    digest = Digest("md5", hashlib.md5(b"data").digest())
    made.claims.append(Claim("file", "MD5SUMS", DigestIs(digest), "line 1"))
    verdict = appraise(made)
    assert verdict.intact is Answer.YES
    assert verdict.authentic is Answer.NO
    assert verdict.exit_status == 1


def test_every_kind_of_anchor_has_to_vouch() -> None:
    made = image()
    made.anchors.append(Anchor("key:1", "key", "a key"))
    verdict = appraise(made)
    assert verdict.decision is Decision.REFUSED
    assert "no-signature" in _codes(verdict)


def _signed(made: Case, anchor: str, key: str, document: str) -> None:
    voucher = Voucher(anchor, document, "signature", Signer(f"holder of {key}", key))
    made.vouchers.append(voucher)
    made.outcomes.append(
        SignatureOutcome(
            Signature(f"sig-{key}", "test", document), Status.VERIFIED, vouchers=(voucher,)
        )
    )


def test_a_threshold_counts_the_same_key_once() -> None:
    made = image()
    made.rule = BuiltInRule(threshold=2)
    for number in (1, 2):
        made.anchors.append(Anchor(f"key:{number}", "key", "a key"))
        _signed(made, f"key:{number}", "SAME", "manifest")
    assert "not-vouched" in _codes(appraise(made))
    made.vouchers.pop()
    _signed(made, "key:2", "OTHER", "manifest")
    assert appraise(made).decision is Decision.ALLOWED


def test_all_asks_for_every_anchor() -> None:
    made = image()
    made.anchors += [Anchor("key:1", "key", "one"), Anchor("key:2", "key", "two")]
    _signed(made, "key:1", "ONE", "manifest")
    assert appraise(made).decision is Decision.ALLOWED
    made.rule = BuiltInRule(every=True)
    assert appraise(made).decision is Decision.REFUSED


def test_several_digests_are_alternatives() -> None:
    made = image()
    made.anchors.append(Anchor("digest:2", "digest", "another image's digest"))
    made.claims.append(Claim("manifest", "digest:2", DigestIs(sha256(b"other")), "given"))
    assert appraise(made).decision is Decision.ALLOWED


def test_a_partly_signed_tree_is_refused_and_names_the_rest() -> None:
    made = case(root="index", targets=("amd64/manifest", "arm64/manifest"))
    for name in ("index", "amd64/manifest", "arm64/manifest"):
        put(made, stored(name), name.encode())
    made.anchors.append(Anchor("key:1", "key", "a key"))
    _signed(made, "key:1", "K", "amd64/manifest")
    [finding] = [f for f in appraise(made).findings if f.code == "partly-vouched"]
    assert "not vouched for: arm64/manifest" in finding.detail
    _signed(made, "key:1", "K", "arm64/manifest")
    assert appraise(made).authentic is Answer.YES


def test_trailing_bytes_are_unclaimed_and_reported() -> None:
    made = case(root="file", targets=("file/signed",))
    put(made, stored("file"), b"signed part, then slack")
    part = Component("file/signed", "part", Slice("file", ((0, 11),)))
    put(made, part, b"signed part")
    made.anchors.append(Anchor("digest:1", "digest", "a digest"))
    made.claims.append(Claim("file/signed", "digest:1", DigestIs(sha256(b"signed part")), "given"))
    verdict = appraise(made)
    assert verdict.authentic is Answer.YES
    assert verdict.coverage.unclaimed == 12
    [finding] = verdict.findings
    assert (finding.code, finding.offset) == ("unclaimed-bytes", 11)


def test_bytes_that_a_scheme_leaves_out_are_excluded_and_not_unclaimed() -> None:
    made = case(root="file", targets=("file/view",))
    put(made, stored("file", excluded=((4, 8),)), b"headSIGNtail")
    view = Component("file/view", "view", Slice("file", ((0, 4), (8, 12))))
    put(made, view, b"headtail")
    made.anchors.append(Anchor("digest:1", "digest", "a digest"))
    made.claims.append(Claim("file/view", "digest:1", DigestIs(sha256(b"headtail")), "given"))
    verdict = appraise(made)
    assert verdict.coverage.excluded == 4
    assert verdict.coverage.fraction == 1
    assert not verdict.findings


def test_content_vouched_for_by_its_diff_id_covers_the_compressed_bytes() -> None:
    made = image()
    made.claims = [claim for claim in made.claims if claim.subject != "layer"]
    verdict = appraise(made)
    assert verdict.coverage.fraction == 1


def test_a_damaged_chunk_leaves_the_others_bound() -> None:
    made = case()
    put(made, stored("file"), bytes(10))
    request = ChunkRequest("sha256", 4)
    chunks = [sha256(bytes(4)).value, sha256(bytes(4)).value, sha256(bytes(2)).value]
    made.facts.answers["file", request] = b"".join([chunks[0], bytes(32), chunks[2]])
    made.anchors.append(Anchor("baseline:1", "baseline", "a baseline"))
    made.claims.append(Claim("file", "baseline:1", ChunksAre(request, b"".join(chunks))))
    verdict = appraise(made)
    assert (verdict.coverage.bound, verdict.coverage.broken) == (6, 4)
    [finding] = [f for f in verdict.findings if f.code == "chunk-mismatch"]
    assert finding.offset == 4


def test_a_claim_about_what_was_not_measured_is_never_a_pass() -> None:
    made = image()
    del made.facts.sizes["layer"]
    verdict = appraise(made)
    assert verdict.exit_status == 3
    assert "claim-unchecked" in _codes(verdict)


def test_a_fault_while_reading_makes_the_image_unchecked() -> None:
    made = image()
    del made.facts.sizes["layer"]
    del made.facts.sizes["layer/content"]
    fault = Finding.of(codes.UNREADABLE, detail="a broken disk")
    made.facts.faults["layer"] = [fault]
    made.facts.faults["layer/content"] = [fault]
    verdict = appraise(made)
    assert verdict.exit_status == 3
    assert verdict.intact is Answer.UNKNOWN


def test_a_file_that_cannot_be_read_is_not_checked_rather_than_refused() -> None:
    made = case()
    made.components["file"] = stored("file")
    made.anchors.append(Anchor("digest:1", "digest", "a digest"))
    made.claims.append(Claim("file", "digest:1", DigestIs(sha256(b"file")), "given"))
    made.facts.faults["file"] = [Finding.of(codes.UNREADABLE, detail="a broken disk")]
    verdict = appraise(made)
    assert verdict.exit_status == 3
    assert verdict.authentic is Answer.UNKNOWN
    made.facts.faults["file"] = [Finding.of(codes.MALFORMED)]
    assert appraise(made).exit_status == 1


def test_a_document_nobody_vouches_for_binds_nothing() -> None:
    made = image()
    put(made, stored("stray"), b"stray")
    put(made, stored("pretender", external=True), b"pretender")
    made.claims += says("pretender", "stray", b"stray")
    verdict = appraise(made)
    assert verdict.coverage.consistent == 5
    assert "consistent-only" in _codes(verdict)


@pytest.mark.parametrize("drop", range(5))
def test_removing_a_claim_never_binds_more(drop: int) -> None:
    whole, less = image(), image()
    del less.claims[drop]
    assert appraise(less).coverage.bound <= appraise(whole).coverage.bound


def test_a_verdict_can_be_written_as_json() -> None:
    assert msgspec.json.encode(appraise(image()))
