"""A policy, ready to be asked: read, merged, with all its keys, and with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from assay.model.finding import Finding, UsageError
from assay.model.signature import Key
from assay.pipeline import VerifyOptions
from assay.policy.material import Pieces, read_pieces
from assay.policy.merge import Merged, merge, signers_of
from assay.policy.model import Match, Policy, anchors_in
from assay.policy.names import registry_name
from assay.policy.problems import PolicyError, Problem
from assay.policy.reading import Document, read
from assay.policy.trusting import Builder, read_roots
from assay.policy_documents.fetch import Fetched, fetch, signers_from
from assay.policy_import.load import read_policy
from assay.policy_import.model import NOWHERE, Applied, Around, Meaning
from assay.policy_import.model import Policy as ForeignPolicy
from assay.sources.model import OpenOptions
from assay.sources.open import transport_of
from assay.trust.anchors import Trust

if TYPE_CHECKING:
    from assay.policy.decide import Decider

FORMAT = "assay"
_SECTIONS = {"time-authorities": "time_authorities", "revocation-lists": "revocation_lists"}


def is_own(data: bytes) -> bool:
    """Whether a policy is one of Assay's own, by its content."""
    return b"assay-policy" in data


class LoadedPolicy(Struct, frozen=True, dict=True):
    """A policy of Assay's own (`assay.policy_import.model.Policy`). ``digest`` is the SHA-256
    digest of the document; of several documents, or of one that names files, that of the list of
    all their digests, sorted, one a line."""

    merged: Merged
    builder: Builder
    digest: str
    findings: tuple[Finding, ...] = ()

    @property
    def format(self) -> str:
        return FORMAT

    @property
    def policy(self) -> Policy:
        return self.merged.policy

    def decider(self) -> Decider:
        """What decides by this policy. Raises UsageError for a condition that is none."""
        from assay.policy.decide import Decider

        try:
            return Decider(self.policy, self.digest, self.builder.definitions)
        except ValueError as error:
            raise UsageError(f"--policy: {error}") from error

    def apply(self, image: str, lent: Sequence[Key] = ()) -> Applied:
        found = self.builder.build(lent, asked=_asked(self.policy, image))
        return Applied(
            scopes=tuple(rule.name for rule in self.policy.rules),
            requirements=tuple(found.requirements),
            findings=self.findings,
            demands=tuple(found.demands),
            anchors=tuple(found.anchors),
            documents=tuple(found.documents),
            digests=found.digests,
        )

    def meanings(self) -> list[Meaning]:
        return [Meaning(f"rules.{rule.name}", rule.description) for rule in self.policy.rules]


def load(
    names: Sequence[str],
    signers: Trust | None = None,
    options: OpenOptions | None = None,
    at: datetime | None = None,
) -> LoadedPolicy:
    """Load the policy that all of these names make up (`fetch`). Raises UsageError; PolicyError
    where it has a place in a document."""
    fetched = [one for name in names for one in fetch(name, signers, options, at)]
    return load_documents(fetched, options, at)


def load_any(
    names: Sequence[str],
    signers: Trust | None = None,
    options: OpenOptions | None = None,
    at: datetime | None = None,
    around: Around = NOWHERE,
) -> LoadedPolicy | ForeignPolicy:
    """As `load`, for a policy of another tool as well, which is one file; ``around`` is what such a
    policy is given. Raises UsageError."""
    fetched = [one for name in names for one in fetch(name, signers, options, at)]
    own = [one for one in fetched if is_own(one.data)]
    if len(own) == len(fetched):
        return load_documents(fetched, options, at)
    other = next(one for one in fetched if one not in own)
    if own:
        raise UsageError(
            f"--policy {other.name}: it is no policy of Assay's own, as {own[0].name} is (it would"
            " begin with assay-policy: 1), and the two kinds do not go together"
        )
    if len(fetched) > 1:
        raise UsageError(f"--policy {other.name}: one policy of another tool has to say it all")
    folder = other.around.folder if around.folder is None else around.folder
    return read_policy(other.data, other.name, replace(around, folder=folder))


def with_policies(
    request: VerifyOptions,
    names: Sequence[str],
    *,
    keys: Sequence[str] = (),
    trust_store: str = "",
    chosen: str = "",
) -> VerifyOptions:
    """The request, judged by the policy of these names (`load_any`), whose documents have to be
    signed with one of ``keys`` where some are given. Raises UsageError."""
    around = Around(None, Path(trust_store) if trust_store else None, chosen)
    found = load_any(names, signers_from(keys), request.open, request.at, around)
    if not isinstance(found, LoadedPolicy):
        return replace(request, policy=found)
    if trust_store or chosen or request.allow_partial:
        raise UsageError(
            "--trust-store, --notation-policy and --allow-partial are about policies of other tools"
        )
    return replace(request, policy=found, decider=found.decider())


def load_documents(
    fetched: Sequence[Fetched], options: OpenOptions | None = None, at: datetime | None = None
) -> LoadedPolicy:
    """The same for documents that are at hand."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for one in fetched:
        try:
            documents.append(read(one.data, one.name))
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(problems)
    merged = merge(documents)
    pieces = _pieces(documents, fetched)
    roots = read_roots(merged.policy, pieces, at or datetime.now(UTC), options)
    try:
        builder = Builder(merged.policy, pieces, roots, at)
    except ValueError as error:
        raise UsageError(str(error)) from error
    digests = [hashlib.sha256(one.data).hexdigest() for one in fetched]
    return LoadedPolicy(merged, builder, _digest(digests, pieces), tuple(roots.findings))


def _pieces(documents: Sequence[Document], fetched: Sequence[Fetched]) -> Pieces:
    """All files that the documents name, by their place in the merged policy."""
    found: Pieces = {}
    problems: list[Problem] = []
    offsets = dict.fromkeys(_SECTIONS, 0)
    for document, one in zip(documents, fetched, strict=True):
        try:
            mine = read_pieces(document, one.around)
        except PolicyError as error:
            problems += error.problems
            continue
        for place, piece in mine.items():
            section, key, *rest = place
            if isinstance(key, int):
                key += offsets[str(section)]
            found[section, key, *rest] = piece
        for section, field in _SECTIONS.items():
            offsets[section] += len(getattr(document.policy, field))
    if problems:
        raise PolicyError(problems)
    return found


def _digest(documents: Sequence[str], pieces: Pieces) -> str:
    files = [piece.digest for piece in pieces.values() if piece.outside]
    if len(documents) == 1 and not files:
        return f"sha256:{documents[0]}"
    lines = "".join(f"{digest}\n" for digest in sorted({*documents, *files}))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _asked(policy: Policy, image: str) -> list[str]:
    """The anchors that rules name which may be about an image of this name, break-glass
    included."""
    rules = [rule for rule in policy.rules if _may_fit(rule.match, image)]
    trees = [tree for rule in rules for _, tree in signers_of(rule)]
    found = [name for tree in trees for name in anchors_in(tree)]
    if policy.break_glass is not None:
        found += anchors_in(policy.break_glass.signers)
    return list(dict.fromkeys(found))


def _may_fit(match: Match, image: str) -> bool:
    """Whether a match may fit an image of this name, before it is known what is in it."""
    if not match.repository or transport_of(image)[0] != "docker":
        return True
    names = registry_name(image).repositories
    return any(pattern.matches(name) for pattern in match.repository for name in names)
