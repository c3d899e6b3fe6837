"""Trust policies of notation, for images (``trustpolicy.json``) and for files
(``trustpolicy.blob.json``), with trust stores that lie beside them or elsewhere
(notaryproject/specifications, trust-store-trust-policy.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from assay import strict_json
from assay.model.anchor import Anchor
from assay.model.codes import content as content_codes
from assay.model.codes import policy as codes
from assay.model.demand import Demand, Vouches
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.signature import Key
from assay.policy_import.model import NOWHERE, Applied, Around, Meaning, Policy, PolicyImporter
from assay.signatures.notary.policy import POLICY_SCHEME, Action
from assay.trust.documents import NotaryFile, NotaryPayload
from assay.trust.notation import NotationConfig, Statement, parse_policies, policy_of
from assay.trust.notation_store import TrustStores
from assay.trust.requirements import Requirement

FORMAT = "notation trust policy"
_ANYBODY = "nothing is verified (level skip)"


class NotationPolicy(Struct, frozen=True):
    """The policies of a file, of which one counts for an image."""

    config: NotationConfig
    stores: TrustStores | None
    blob: bool

    @property
    def format(self) -> str:
        return FORMAT

    def apply(self, image: str, lent: Sequence[Key] = ()) -> Applied:
        try:
            one = self.config.statement_for(image)
        except UsageError as error:
            return Applied((), findings=(Finding.of(codes.POLICY_NO_MATCH, detail=str(error)),))
        scope = f"trustPolicies.{one.name}"
        if one.level == "skip":
            finding = Finding.of(codes.POLICY_ACCEPTS_ANYTHING, detail=f"{scope}: {_ANYBODY}")
            return Applied((scope,), findings=(finding,))
        if self.stores is None:
            raise UsageError("--policy: it takes trust stores; give them with --trust-store")
        anchor = Anchor("policy:1", "ca", f"{scope}: {_meaning(one)}", scope)
        policy = policy_of(one, self.stores, f"policy {one.name!r}")
        requirement = Requirement(
            anchor,
            (Key(anchor.id, POLICY_SCHEME, f"trust policy {one.name}", policy), *lent),
            ("notary",),
            NotaryFile() if self.blob else NotaryPayload(),
        )
        demand = Demand(scope, f"trust policy {one.name}", Vouches(anchor.id), _only_logs(one))
        return Applied((scope,), (requirement,), demands=(demand,))

    def meanings(self) -> list[Meaning]:
        return [
            Meaning(scope, _meaning(one), scope=scope)
            for one in (*self.config.images, *self.config.files)
            for scope in (f"trustPolicies.{one.name}",)
        ]


def _only_logs(one: Statement) -> bool:
    return one.actions.get("authenticity") is not Action.ENFORCE


def _meaning(one: Statement) -> str:
    """What a policy asks for, in words."""
    scopes = "any other" if one.everywhere else ", ".join(one.scopes) or "whoever names it"
    if one.level == "skip":
        return f"for {scopes}: {_ANYBODY}"
    stores = ", ".join(f"{kind}:{name}" for kind, name in one.stores)
    who = " or ".join(map(str, one.subjects)) or "anybody"
    warns = "; it only warns" if _only_logs(one) else ""
    return f"for {scopes}: a Notary signature by {who} below {stores}, level {one.level}{warns}"


class NotationImporter:
    name = "notation"

    def recognise(self, data: bytes) -> bool:
        return data.lstrip()[:1] == b"{" and b'"trustPolicies"' in data

    def read(self, data: bytes, around: Around = NOWHERE) -> Policy:
        blob = not _names_scopes(data)
        try:
            found = parse_policies(data, "it", blob=blob)
        except UsageError as error:
            raise AssayError(Finding.of(content_codes.MALFORMED, detail=str(error))) from error
        config = NotationConfig(
            around.folder or Path(), () if blob else found, found if blob else (), around.chosen
        )
        return NotationPolicy(config, _stores(around), blob)


def _stores(around: Around) -> TrustStores | None:
    """The trust stores given, or beside the policy; None for a policy that is in no file."""
    folder = around.trust_store
    if folder is None:
        if around.folder is None:
            return None
        folder = around.folder / "truststore"
    inner = folder / "x509"
    return TrustStores(inner if inner.is_dir() else folder)


def _names_scopes(data: bytes) -> bool:
    """Whether its policies are for images: those for files have no scopes. Raises AssayError."""
    listed = strict_json.parse_object(data, "").get("trustPolicies")
    return isinstance(listed, list) and any(
        isinstance(each, dict) and "registryScopes" in each for each in listed
    )


IMPORTER: PolicyImporter = NotationImporter()
"""Reads ``trustpolicy.json`` and ``trustpolicy.blob.json``."""
