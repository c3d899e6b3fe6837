"""containers-policy.json(5) as a policy of Assay's own. Of its scopes the most specific one
decides; here all rules that fit have to pass, so each rule leaves out the scopes below its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.policy_documents.rewriting.draft import Draft, files_or_text
from assay.policy_import.containers import grammar
from assay.policy_import.containers.grammar import PolicyFile, Required
from assay.trust.containers.identity import (
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
)


def rewrite(file: PolicyFile, draft: Draft) -> None:
    """Add what a policy says to a draft."""
    scopes = dict(file.transports.get("docker", {}))
    everywhere = scopes.pop("", None)
    for scope, required in scopes.items():
        inner = [other for other in scopes if other != scope and _is_below(other, scope)]
        _rule(draft, f"transports.docker.{scope}", _match([scope], inner), required)
    if everywhere is not None:
        match = {"reference": ["**"], **_match([], list(scopes))}
        _rule(draft, "transports.docker", match, everywhere)
    elif not _refuses(file.default):
        _rule(draft, "default", _match([], list(scopes)), file.default)
    for transport, others in file.transports.items():
        if transport != "docker" and not all(_refuses(each) for each in others.values()):
            draft.left.append(f"transports.{transport}: only images in registries are carried over")


def _refuses(required: Sequence[Required]) -> bool:
    """Whether it lets nothing in, as a policy of Assay's own does where it says nothing."""
    return any(isinstance(one, grammar.Reject) for one in required)


def _is_below(inner: str, outer: str) -> bool:
    if outer.startswith("*."):
        host = inner.partition("/")[0]
        return host.endswith(outer[1:]) and inner != outer
    return inner.startswith((f"{outer}/", f"{outer}:", f"{outer}@"))


def _match(scopes: Sequence[str], without: Sequence[str]) -> dict[str, Any]:
    match: dict[str, Any] = {}
    if scopes:
        match["reference"] = [pattern for scope in scopes for pattern in _patterns(scope)]
    if without:
        match["unless"] = {
            "reference": [pattern for each in without for pattern in _patterns(each)]
        }
    return match


def _patterns(scope: str) -> list[str]:
    """Patterns for the names of the images of a scope."""
    last = scope.rpartition("/")[2]
    if "@" in last:
        return [scope]
    if "/" in scope and ":" in last:
        return [scope, f"{scope}@*"]
    if "/" not in scope:
        return [f"{scope}/**"]
    return [f"{scope}:*", f"{scope}@*", f"{scope}/**"]


def _rule(draft: Draft, where: str, match: dict[str, Any], required: Sequence[Required]) -> None:
    if _refuses(required):
        return  # what no rule lets in is refused
    signers: list[str] = []
    impossible: list[dict[str, Any]] = []
    require: dict[str, Any] = {}
    for number, one in enumerate(required):
        if isinstance(one, grammar.AcceptAnything):
            continue
        here = f"{where}[{number}]"
        try:
            name = _name(one)
            signers.append(_signer(draft, one))
        except ValueError as error:
            impossible.append(draft.cannot(here, str(error)))
            continue
        if require.get("name", {}).get("same") != "reference":
            require["name"] = {"stated-by": ["signature"], "same": name}
    if signers:
        require = {"signers": _all(signers), **require}
    if impossible:
        require["expressions"] = impossible
    draft.rule(where, match, require)


def _all(signers: Sequence[str]) -> Any:
    unique = list(dict.fromkeys(signers))
    return unique[0] if len(unique) == 1 else {"all": unique}


def _signer(draft: Draft, one: Required) -> str:
    """The anchor of a requirement. Raises ValueError for one that cannot be carried over."""
    match one:
        case grammar.SignedBy(key_type=grammar.GPG_KEYS, keys=keys):
            return draft.anchor("openpgp", {"keys": files_or_text(keys.paths, keys.data)})
        case grammar.SigstoreSigned(logs=logs) if logs is not None:
            raise ValueError("an entry in a log is asked for beside a key")
        case grammar.SigstoreSigned(signers=grammar.Material(paths=paths, data=data)):
            return draft.anchor("sigstore-key", {"keys": files_or_text(paths, data)})
        case grammar.SigstoreSigned(signers=grammar.Pki() as pki):
            names = [name for name in (pki.email, pki.hostname) if name]
            if len(names) > 1:
                raise ValueError("two names are asked for of one certificate")
            content = {
                "authorities": files_or_text(pki.roots.paths, pki.roots.data),
                "names": names,
            }
            if pki.between is not None:
                between = files_or_text(pki.between.paths, pki.between.data)
                content["intermediates"] = between
            return draft.anchor("authority", content)
        case grammar.SigstoreSigned():
            raise ValueError("Fulcio's certificates alone; name a trusted root and an identity")
    raise ValueError(f"{type(one).__name__} is no requirement that a tool checks")


def _name(one: Required) -> str:
    """What of the name that an image is used by has to be that of a signature. Raises ValueError
    for any other rule."""
    if not isinstance(one, grammar.SignedBy | grammar.SigstoreSigned):
        return "reference"
    identity = one.identity
    if isinstance(identity, MatchRepository):
        return "repository"
    if isinstance(identity, MatchExact | MatchRepoDigestOrExact):
        return "reference"
    raise ValueError(f"a signature {identity.describe(None)}; use --known-as for other names")
