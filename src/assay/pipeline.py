"""The story of one verification: open -> gather -> measure -> appraise."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from assay import limits
from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule, Case
from assay.appraisal.claims import request_for
from assay.appraisal.rule import SIGNING_KINDS
from assay.contents.options import ContentOptions
from assay.evidence.gather import gather_evidence
from assay.evidence.model import Context, GivenFile
from assay.formats.explore import read_image
from assay.measure.engine import measure
from assay.model.anchor import Anchor, Voucher
from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.codes import content as codes
from assay.model.component import Component, Slice, Stored
from assay.model.demand import NOTHING
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.grounds import Occasion, SeenVersion
from assay.model.measurement import (
    ContentRequest,
    Facts,
    FsVerityRequest,
    HashRequest,
    Request,
    ScanRequest,
)
from assay.model.reading import Blob, Options, Reading, Site
from assay.model.signature import Key, SignatureOutcome
from assay.model.verdict import State, Verdict
from assay.policy_import.model import Policy, what_can_be_checked
from assay.printable import printable
from assay.sources.blobs import MemoryBlob, read_document
from assay.sources.model import Listing, OpenedImage, OpenOptions
from assay.sources.open import open_images
from assay.trust.anchors import Trust
from assay.trust.requirements import for_annotations, for_name, merged, of_another_kind, with_notes
from assay.version import __version__

if TYPE_CHECKING:
    from assay.contents.plan import Plan
    from assay.contents.roots import ImageRoot
    from assay.policy.decide import Decider
    from assay.sources.bundle.file import Bundle
    from assay.trust.documents import SignedDocument


class Progress(Protocol):
    """Told how far the reading is. Called from several threads."""

    def expect(self, image: str, size: int) -> None:
        """``size`` bytes of ``image`` are about to be read (0 when unknown)."""
        ...

    def advance(self, count: int, /) -> object:
        """``count`` more bytes have been read."""
        ...


class VerifyOptions(msgspec.Struct):
    """Everything that one call of `verify` asks for, beside the image's name.

    ``signatures`` and ``attestations`` are files given by name; files beside the image are looked
    for when there are keys to check them with, or with ``look_beside``. With ``untrusted_facts``
    the verdict also tells what statements say that nobody vouches for. ``also_measure`` asks for
    measurements beyond those that checking takes, once it is known what is in the image. What
    ``policy`` asks of the image is asked beside everything else, and with ``allow_partial`` only
    what of it can be checked; ``findings`` are what is known from the start. Where
    ``bundle`` is given, what is attached to the image is looked for in it, and no connection is
    made for that; ``bundled`` are the files in it. ``contents`` is asked of the files in
    container images. ``fs_verity_signatures`` are files with signatures of the fs-verity digest
    that ``fs_verity`` asks for. ``sbat_levels`` are files with revocation levels (SBAT), or shims.
    ``decider`` is the policy that decides, ``occasion`` what the caller says it is about, and
    ``ask_history`` asks a ledger what it has seen of an image, by its name; with ``keep_grounds``
    the verdict has what a policy would be judged on.
    """

    trust: Trust
    rule: BuiltInRule = BuiltInRule()
    formats: Options = Options()
    open: OpenOptions = OpenOptions()
    signatures: list[str] = []
    attestations: list[str] = []
    look_beside: bool = False
    untrusted_facts: bool = False
    policy: Policy | None = None
    allow_partial: bool = False
    findings: list[Finding] = []
    contents: ContentOptions = ContentOptions()
    fs_verity: FsVerityRequest = FsVerityRequest()
    fs_verity_signatures: list[str] = []
    sbat_levels: list[str] = []
    bundle: Bundle | None = None
    bundled: list[GivenFile] = []
    also_measure: Callable[[Gathered], list[tuple[str, Request]]] | None = None
    at: datetime | None = None
    progress: Progress | None = None
    decider: Decider | None = None
    keep_grounds: bool = False
    occasion: Occasion = Occasion()
    ask_history: Callable[[str], tuple[SeenVersion, ...]] | None = None

    def evidence_files(self) -> list[GivenFile]:
        """The files given that are no anchors themselves."""
        given = (
            ("signature", self.signatures),
            ("attestation", self.attestations),
            ("fs-verity-signature", self.fs_verity_signatures),
            ("sbat-level", self.sbat_levels),
        )
        files = [GivenFile(option, Path(name)) for option, names in given for name in names]
        return [*files, *self.bundled]


class Examined(msgspec.Struct):
    """One image with all that became known of it. ``gathered`` and ``facts`` are None when the
    image could not even be opened; ``roots`` are its file systems, where they were looked into."""

    verdict: Verdict
    gathered: Gathered | None = None
    facts: Facts | None = None
    roots: list[ImageRoot] = []


def verify(name: str, request: VerifyOptions) -> list[Verdict]:
    """Verify the image, or images, of a name. Raises UsageError only; all else is in a verdict."""
    return [examined.verdict for examined in examine(name, request)]


def examine(name: str, request: VerifyOptions) -> list[Examined]:
    """As `verify`, and keep what was gathered and measured, for who looks closer."""
    request = with_policy(name, request)
    return [conclude(found, request) for found in discover(name, request)]


def conclude(found: Gathered | Examined, request: VerifyOptions) -> Examined:
    """Measure and appraise an image that was discovered."""
    return found if isinstance(found, Examined) else _examine_one(found, request)


def with_policy(name: str, request: VerifyOptions) -> VerifyOptions:
    """The request with all that the policy asks of the image of this name."""
    if request.policy is None:
        return request
    applied = request.policy.apply(request.open.known_as or name, request.trust.lent)
    if request.decider is None and any(demand.what == NOTHING for demand in applied.demands):
        raise UsageError("this policy asks for nothing by itself: its rules have to decide")
    if request.allow_partial:
        applied = what_can_be_checked(applied)
    trust = msgspec.structs.replace(
        request.trust,
        requirements=[*request.trust.requirements, *applied.requirements],
        policy_demands=[*request.trust.policy_demands, *applied.demands],
        anchors=[*request.trust.anchors, *applied.anchors],
        documents=[*request.trust.documents, *applied.documents],
        digests={**request.trust.digests, **applied.digests},
    )
    opening = msgspec.structs.replace(
        request.open,
        signature_repositories=tuple(
            dict.fromkeys((*request.open.signature_repositories, *applied.repositories))
        ),
    )
    findings = [*request.findings, *applied.findings]
    return msgspec.structs.replace(
        request, trust=trust, open=opening, findings=findings, policy=None
    )


def discover(name: str, request: VerifyOptions) -> Iterator[Gathered | Examined]:
    """Open the image, or images, of a name and read their headers; a verdict where that fails."""
    _check(request)
    for finding in request.trust.findings:
        if finding.severity is Severity.ERROR:
            yield Examined(_unopened(name, finding, request))
            return
    try:
        images = open_images(name, request.open)
    except AssayError as error:
        yield Examined(_unopened(name, error.finding, request))
        return
    except UsageError:
        raise
    except Exception as error:
        yield Examined(_unopened(name, _internal_error(error), request))
        return
    for image in images:
        try:
            yield gather(image, request)
        except UsageError:
            raise
        except Exception as error:
            # A defect of ours must neither show a traceback nor pass for a verdict.
            yield Examined(_unopened(image.name, _internal_error(error), request))


def _check(request: VerifyOptions) -> None:
    """Refuse a rule that could not mean what it says."""
    if request.rule.threshold < 1:
        raise UsageError("a threshold of less than one signer asks for nothing")
    if request.rule.threshold > 1 and not _knows_signers(request.trust):
        raise UsageError(
            f"{request.rule.threshold} signers are asked for, and nothing was given that a signer"
            " could be known by (a key, an authority, an identity)"
        )
    if request.rule.statements and not (
        _knows_signers(request.trust) or request.trust.requirements
    ):
        raise UsageError(
            "statements count by who signed them, and nothing was given that a signer could be"
            " known by (a key, an authority, an identity)"
        )
    if request.trust.annotations and not (
        _knows_signers(request.trust) or request.trust.requirements
    ):
        raise UsageError(
            "annotations are asked for, and nothing was given that who made them could be known by"
            " (a key, an authority, an identity)"
        )


def _knows_signers(trust: Trust) -> bool:
    return bool(trust.notation) or any(anchor.kind in SIGNING_KINDS for anchor in trust.anchors)


def _examine_one(gathered: Gathered, request: VerifyOptions) -> Examined:
    name = gathered.image.name
    try:
        if request.progress is not None:
            request.progress.expect(name, _bytes_to_read(gathered))
        plan = _plan(gathered, request.contents)
        wanted = gathered.requests(gathered.trust.all_keys)
        if request.also_measure is not None:
            wanted += request.also_measure(gathered)
        facts = _measured(gathered, wanted, request)
        case = judgeable(gathered, facts, request)
        verdict = appraise(case)
        roots: list[ImageRoot] = []
        if plan is not None:
            roots = _look_into(plan, case, verdict, gathered.reading)
            verdict = appraise(case)
        if request.decider is not None:
            from assay.policy.judge import judged

            verdict = judged(verdict, request.decider)
        return Examined(verdict, gathered, facts, roots)
    except UsageError:
        raise
    except Exception as error:
        return Examined(_unopened(name, _internal_error(error), request))


def _measured(
    gathered: Gathered, wanted: list[tuple[str, Request]], request: VerifyOptions
) -> Facts:
    """All measurements; those of an earlier run of blobs whose names are digests, where facts are
    kept."""
    progress = request.progress.advance if request.progress is not None else None
    components, blobs = gathered.components, gathered.blobs
    named = any(getattr(blob, "named_by_digest", False) for blob in blobs.values())
    if not (request.open.keep_facts and named):
        return measure(components, blobs, wanted, progress=progress)
    from assay.kept.store import shared_store
    from assay.recall import measure_or_recall, recalled_finding

    facts, known = measure_or_recall(shared_store(), components, blobs, wanted, progress=progress)
    if known:
        gathered.reading.findings.append(recalled_finding(known))
        if progress is not None:
            progress(sum(known.values()))
    return facts


def _plan(gathered: Gathered, options: ContentOptions) -> Plan | None:
    """What to compare with SBOMs, which has to be known before the layers are read."""
    if not options.concerns(gathered.reading):
        return None
    from assay.contents.plan import plan

    return plan(gathered.reading, options)


def _look_into(plan: Plan, case: Case, verdict: Verdict, reading: Reading) -> list[ImageRoot]:
    """Compare what the layers hold with the SBOMs that the user gave, and with those that the
    verdict so far says somebody vouches for; what comes of it joins the case."""
    from assay.contents.account import account
    from assay.contents.roots import image_roots

    bound = [part.id for part in verdict.components if part.state is State.BOUND]
    roots = list(image_roots(reading, case.facts))
    found = account(plan, roots, case.root, case.facts, bound)
    case.contents = found.accounts
    case.findings = [*case.findings, *found.findings]
    return roots


def _internal_error(error: Exception) -> Finding:
    """What nobody has foreseen; a system's error is told as one."""
    if os.environ.get("ASSAY_DEBUG"):
        raise error
    if isinstance(error, OSError):
        code = codes.NOT_FOUND if isinstance(error, FileNotFoundError) else codes.UNREADABLE
        return Finding.of(code, detail=printable(str(error), 300))
    import traceback

    place = traceback.extract_tb(error.__traceback__)[-1]
    return Finding.of(
        codes.INTERNAL_ERROR,
        detail=f"{type(error).__name__}: {str(error)[:300]}"
        f" ({Path(place.filename).name}, line {place.lineno})",
    )


def _bytes_to_read(gathered: Gathered) -> int:
    return sum(blob.size or 0 for blob in gathered.blobs.values())


class Gathered(msgspec.Struct):
    """All that is known before anything is measured."""

    image: OpenedImage
    format: str
    root: str
    targets: list[str]
    reading: Reading
    anchors: list[Anchor]
    vouchers: list[Voucher]
    trust: Trust
    named_digests: dict[str, Digest] = {}
    """The digests by which the root and the targets are known where the image is kept."""

    @property
    def components(self) -> dict[str, Component]:
        return {component.id: component for component in self.reading.components}

    @property
    def blobs(self) -> dict[str, Blob]:
        return self.reading.blobs

    def signed_document(self, component: str) -> SignedDocument | None:
        """The component of this id as a document to be looked into; None where it is a part of
        another one."""
        found = self.components.get(component)
        if found is None or not isinstance(found.extent, Stored):
            return None
        from assay.trust.documents import SignedDocument

        blob = self.blobs[found.extent.blob]
        return SignedDocument(found, lambda: read_document(blob, limits.ATTACHED_SIZE, found.id))

    def requests(self, keys: Sequence[Key]) -> list[tuple[str, Request]]:
        """Every measurement that claims, signatures and readers need."""
        components = self.components
        trees = self._under_hash_trees()
        wanted = [
            (component, request)
            for component, request in self.reading.requests
            if component not in trees or request != _PLAIN
        ]
        for claim in self.reading.claims:
            if claim.subject not in components:
                continue
            request = request_for(claim)
            wanted.append((claim.subject, request or _PLAIN))
        for prepared in self.reading.signatures:
            wanted += [(prepared.signature.document, need) for need in prepared.requests(keys)]
        asked = {component for component, _ in wanted} | trees
        for component in self.reading.components:
            if component.id not in asked and isinstance(component.extent, Stored):
                wanted.append((component.id, _PLAIN))
        return wanted

    def _under_hash_trees(self) -> set[str]:
        """Components that a hash tree speaks of, whole or by their parts: no digest of all their
        bytes is needed beside it, and computing one would take longer than the tree does."""
        asked = {claim.subject: request_for(claim) for claim in self.reading.claims}
        whole = {name for name, request in asked.items() if isinstance(request, FsVerityRequest)}
        return whole | {
            part.extent.of
            for part in self.reading.components
            if part.kind == "verity-data" and part.id in asked and isinstance(part.extent, Slice)
        }


_PLAIN = HashRequest("sha256")


def gather(image: OpenedImage, request: VerifyOptions) -> Gathered:
    """Read headers and evidence: components, claims and signatures, with nothing believed."""
    name = request.open.known_as or image.resolved
    trust = request.trust.for_image(name, offline=request.open.offline or bool(request.bundle))
    if trust is not request.trust:
        request = msgspec.structs.replace(request, trust=trust)
    options = msgspec.structs.replace(
        request.formats,
        forced_type=request.formats.forced_type or image.forced_type,
        selection=image.selection,
        kernel=request.formats.kernel or trust.kernel,
    )
    top = Component("", "file", Stored(image.root_key), size=image.root.size)
    site = Site(top, image.root, image.store, options, media_type=image.media_type)
    reading = Reading()
    reading.findings += [*request.findings, *trust.findings, *image.findings]
    reading.blobs[image.root_key] = image.root
    try:
        format_name, inner = read_image(site)
    except AssayError as error:
        reading.findings.append(error.finding)
        inner, format_name = Reading(), "unreadable"
    reading.absorb(inner)
    if image.store is None:
        image.store = inner.store
    root = inner.components[0].id if inner.components else "file"
    targets = inner.targets or [root]
    named = _named_digests(image, root, targets, reading)
    anchors, vouchers = request.trust.all_anchors, []
    digests = dict(request.trust.digests)
    if image.pinned is not None:
        anchors.append(Anchor("digest:name", "digest", f"digest in the name, {image.pinned}"))
        digests["digest:name"] = image.pinned
    if inner.components:
        if image.listing is not None:
            reading.absorb(_listed(image.listing, root))
        for anchor, digest in digests.items():
            subjects = dict.fromkeys([root, *inner.roots, *(targets if options.platform else [])])
            for subject in subjects:
                reading.claims.append(Claim(subject, anchor, DigestIs(digest), "given"))
        for anchor, expected in request.trust.fs_verity.items():
            reading.claims.append(Claim(root, anchor, expected, "given"))
        if request.bundle is not None:
            from assay.evidence.bundled import bundle_evidence

            at = request.at or datetime.now(UTC)
            reading.absorb(bundle_evidence(request.bundle, at, root, named))
        evidence = gather_evidence(_context(image, root, targets, reading, named, request))
        reading.absorb(evidence.reading)
        vouchers += evidence.vouchers
        targets = evidence.targets or targets
    return Gathered(image, format_name, root, targets, reading, anchors, vouchers, trust, named)


def _context(
    image: OpenedImage,
    root: str,
    targets: list[str],
    reading: Reading,
    named: dict[str, Digest],
    request: VerifyOptions,
) -> Context:
    bundle = request.bundle
    return Context(
        image=image,
        root=root,
        targets=targets,
        components={component.id: component for component in reading.components},
        skipped=reading.not_checked,
        digests=named,
        formats=request.formats,
        open=request.open
        if bundle is None
        else msgspec.structs.replace(request.open, offline=True),
        keys=request.trust.all_keys,
        given=[*request.trust.documents, *request.evidence_files()],
        look_around=request.look_beside or bool(request.trust.all_keys),
        blobs=reading.blobs,
        companions=None if bundle is None else bundle.store,
        verity=request.trust.verity,
        fs_verity=request.fs_verity,
        pcrs=request.trust.pcrs,
    )


def _named_digests(
    image: OpenedImage, root: str, targets: list[str], reading: Reading
) -> dict[str, Digest]:
    """The digests by which the root, the targets, and what these are in (an index within an index)
    are known where the image is kept: a signature of any of them vouches for its targets."""
    parents = {component.id: component.parent for component in reading.components}
    wanted = dict.fromkeys([root, *targets])
    for target in targets:
        above = parents.get(target, "")
        while above and above not in wanted:
            wanted[above] = None
            above = parents.get(above, "")
    found: dict[str, Digest] = {}
    for claim in reading.claims:
        if claim.subject in wanted and isinstance(claim.expected, DigestIs):
            found.setdefault(claim.subject, claim.expected.digest)
    with contextlib.suppress(ValueError):  # a file is named by no digest
        found[root] = Digest.parse(image.root_key)
    return {component: found[component] for component in wanted if component in found}


def _listed(listing: Listing, root: str) -> Reading:
    """What the document beside an image, that names it, claims of it."""
    key = f"document:{listing.name}"
    document = Component(
        listing.name, "listing", Stored(key), size=len(listing.data), external=True
    )
    claims: list[Claim] = []
    for field, digest, size in listing.claims:
        claims.append(Claim(root, listing.name, DigestIs(digest), f"{field}.digest"))
        claims.append(Claim(root, listing.name, SizeIs(size), f"{field}.size"))
    return Reading(components=[document], claims=claims, blobs={key: MemoryBlob(listing.data)})


def _check_signatures(
    gathered: Gathered, facts: Facts, at: datetime
) -> tuple[list[SignatureOutcome], list[Voucher]]:
    """What became of each signature, and who vouches for what."""
    trust, components = gathered.trust, gathered.components
    keys = trust.all_keys
    outcomes: list[SignatureOutcome] = []
    vouchers = list(gathered.vouchers)
    contradicted: set[str] = set()
    claiming = {claim.origin for claim in gathered.reading.claims}
    for prepared in gathered.reading.signatures:
        document = prepared.signature.document
        answers = {
            need: facts.answers[document, need]
            for need in prepared.requests(keys)
            if (document, need) in facts.answers
        }
        looked_into = trust.requirements or trust.annotations
        signed = gathered.signed_document(document) if looked_into else None
        found: list[SignatureOutcome] = []
        for one in trust.requirements:
            if one.concerns(prepared, signed):
                judged = one.verify(prepared, signed, answers, at)
                found.append(judged.outcome)
                if judged.contradicted and document in claiming:
                    contradicted.add(one.anchor.id)
        if not found and signed is not None and trust.requirements:
            other = of_another_kind(trust.requirements, prepared, signed, answers, at)
            found += [other] if other is not None else []
        if any(key.anchor for key in trust.keys) or not found:
            outcome = prepared.verify(answers, trust.keys, at)
            if trust.signed_name is not None and document in components:
                outcome = for_name(outcome, components[document], trust.signed_name, None)
            found.append(outcome)
        judged_by_all = merged(found)
        if trust.annotations:
            judged_by_all = for_annotations(judged_by_all, signed, trust.annotations)
        outcomes.append(with_notes(judged_by_all, components.get(document)))
        vouchers += outcomes[-1].vouchers
    # one statement of a trusted signer that says otherwise outweighs others that do not
    vouchers = [voucher for voucher in vouchers if voucher.anchor not in contradicted]
    return outcomes, vouchers


def judgeable(gathered: Gathered, facts: Facts, request: VerifyOptions) -> Case:
    """Check the signatures against what was measured, and lay everything before appraisal."""
    at = request.at or datetime.now(UTC)
    outcomes, vouchers = _check_signatures(gathered, facts, at)
    scanned: list[Finding] = []
    for key in list(facts.answers):
        if isinstance(key[1], ContentRequest):
            del facts.answers[key]
        elif isinstance(key[1], ScanRequest):
            # components with the same bytes share one answer: each gets its findings
            scanned += [
                found if found.component else msgspec.structs.replace(found, component=key[0])
                for found in facts.answers[key].findings
            ]
    image = gathered.image
    used_as = request.open.known_as or image.name
    return Case(
        image=image.name,
        resolved=image.resolved,
        format=gathered.format,
        root=gathered.root,
        targets=tuple(gathered.targets),
        components=gathered.components,
        claims=gathered.reading.claims,
        anchors=gathered.anchors,
        vouchers=vouchers,
        outcomes=outcomes,
        findings=[*gathered.reading.findings, *scanned],
        not_checked=gathered.reading.not_checked,
        facts=facts,
        at=at,
        rule=request.rule,
        tool=f"assay {__version__}",
        demands=tuple(gathered.trust.policy_demands),
        statements=gathered.reading.statements,
        show_untrusted=request.untrusted_facts,
        policy_decides=request.decider is not None or request.keep_grounds,
        used_as=used_as,
        occasion=request.occasion,
        history=request.ask_history(used_as) if request.ask_history is not None else (),
        untrusted_labels=gathered.reading.untrusted_labels,
        untrusted_annotations=gathered.reading.untrusted_annotations,
        untrusted_platforms=gathered.reading.untrusted_platforms,
    )


def _unopened(name: str, finding: Finding, request: VerifyOptions) -> Verdict:
    at = request.at or datetime.now(UTC)
    verdict = appraise(
        Case(
            image=name,
            resolved=name,
            format="unopened",
            root="",
            targets=(),
            components={},
            claims=[],
            anchors=[],
            vouchers=[],
            outcomes=[],
            findings=[*request.findings, finding],
            not_checked=[],
            facts=Facts(),
            at=at,
            rule=msgspec.structs.replace(request.rule, self_consistent=True),
            tool=f"assay {__version__}",
        )
    )
    # that nobody was asked to vouch for it is beside the point
    rule = request.rule
    return msgspec.structs.replace(
        verdict, rule=rule.describe(), self_consistent=rule.self_consistent
    )


__all__ = [
    "Examined",
    "Gathered",
    "VerifyOptions",
    "codes",
    "conclude",
    "discover",
    "examine",
    "gather",
    "judgeable",
    "verify",
    "with_policy",
]
