"""Several policy documents as one, and whether the whole makes sense.

Documents add up: their anchors, trusted roots, rules, builders, exceptions and revocations are all
in force together, and any of them may use the names of the others. Nothing overrides anything:

- A name stands for one thing. Two anchors, trusted roots or rules of one name are an error, also
  where they say the same.
- Rules of all documents have to pass, so adding a document can only ask for more of an image that
  a rule is about already. Exceptions and break-glass are the two things that let in more.
- There is one break-glass.
- The order of documents makes no difference to any decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from assay.policy.anchors import Anchor, Material
from assay.policy.model import VERSION, Policy, Rule
from assay.policy.problems import Place, PolicyError, Problem, suggestion
from assay.policy.reading import Document
from assay.policy.vocabulary import Signers, anchors_in


class Merged(Struct, frozen=True):
    """One policy of several documents, with the place of each entry."""

    policy: Policy
    documents: tuple[Document, ...]

    def place(self, section: str, key: str | int, *more: str | int) -> Place:
        """Where an entry stands: by name in anchors and trusted roots, by its number among all of
        its kind in the others."""
        if isinstance(key, str):
            for document in self.documents:
                if (section, key) in document.places:
                    return document.place(section, key, *more)
        else:
            for document in self.documents:
                number = len(getattr(document.policy, section.replace("-", "_")))
                if key < number:
                    return document.place(section, key, *more)
                key -= number
        return Place(self.documents[0].file)


def merge(documents: Sequence[Document]) -> Merged:
    """Put documents together. Raises PolicyError, with all that is wrong."""
    problems: list[Problem] = []
    first = documents[0].policy
    policies = [document.policy for document in documents]
    merged = Merged(
        Policy(
            assay_policy=VERSION,
            name=", ".join(dict.fromkeys(each.name for each in policies if each.name)),
            description=first.description if len(policies) == 1 else "",
            anchors=_named(documents, "anchors", problems),
            trusted_roots=_named(documents, "trusted-roots", problems),
            rules=tuple(rule for each in policies for rule in each.rules),
            time_authorities=tuple(m for each in policies for m in each.time_authorities),
            revocation_lists=tuple(m for each in policies for m in each.revocation_lists),
            revoked=tuple(one for each in policies for one in each.revoked),
            builders=tuple(one for each in policies for one in each.builders),
            exceptions=tuple(one for each in policies for one in each.exceptions),
            break_glass=_break_glass(documents, problems),
        ),
        tuple(documents),
    )
    problems += _Check(merged).problems()
    if problems:
        raise PolicyError(problems)
    return merged


def _named(documents: Sequence[Document], section: str, problems: list[Problem]) -> dict[str, Any]:
    """What has a name, from all documents."""
    found: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for document in documents:
        for name, value in getattr(document.policy, section.replace("-", "_")).items():
            place = document.place(section, name)
            if name in found:
                text = f"{name} stands in {section} twice, first in {places[name]}"
                problems.append(Problem(place, text, structural=False))
            found.setdefault(name, value)
            places.setdefault(name, place)
    return found


def _break_glass(documents: Sequence[Document], problems: list[Problem]) -> Any:
    given = [each for each in documents if each.policy.break_glass is not None]
    for other in given[1:]:
        text = f"there is one break-glass, and it stands in {given[0].place('break-glass')}"
        problems.append(Problem(other.place("break-glass"), text, structural=False))
    return given[0].policy.break_glass if given else None


class _Check:
    """What the documents say of each other."""

    def __init__(self, merged: Merged) -> None:
        self._merged, self._policy = merged, merged.policy
        self._problems: list[Problem] = []

    def problems(self) -> list[Problem]:
        policy = self._policy
        if not policy.rules:
            self._tell(Place(self._merged.documents[0].file, 1, 1), "no rules: it lets nothing in")
        self._unique_rules()
        for name, anchor in policy.anchors.items():
            self._anchor(name, anchor)
        for number, rule in enumerate(policy.rules):
            self._rule(number, rule)
        for number, one in enumerate(policy.revoked):
            place = self._merged.place("revoked", number)
            self._known(() if one.anchor is None else (one.anchor,), place)
        for number, builder in enumerate(policy.builders):
            self._known(builder.signers, self._merged.place("builders", number, "signers"))
        for number, exemption in enumerate(policy.exceptions):
            place = self._merged.place("exceptions", number, "rules")
            self._known_rules(exemption.rules, place)
            if exemption.starts is not None and exemption.starts >= exemption.expires:
                self._tell(place, "an exception that expires before it starts")
        if policy.break_glass is not None:
            self._emergency()
        return self._problems

    def _tell(self, place: Place, text: str) -> None:
        self._problems.append(Problem(place, text, structural=False))

    def _unique_rules(self) -> None:
        seen: dict[str, Place] = {}
        for number, rule in enumerate(self._policy.rules):
            place = self._merged.place("rules", number)
            if rule.name in seen:
                self._tell(place, f"there are two rules {rule.name}, first in {seen[rule.name]}")
            seen.setdefault(rule.name, place)

    def _known(self, names: Sequence[str], place: Place) -> None:
        for name in names:
            if name not in self._policy.anchors:
                hint = suggestion(name, self._policy.anchors)
                self._tell(place, f"no anchor is called {name}{hint}")

    def _known_rules(self, names: Sequence[str], place: Place) -> None:
        known = {rule.name for rule in self._policy.rules}
        for name in names:
            if name not in known:
                self._tell(place, f"no rule is called {name}{suggestion(name, known)}")

    def _anchor(self, name: str, anchor: Anchor) -> None:
        place = self._merged.place("anchors", name)
        for root in anchor.trusted_roots:
            if root not in self._policy.trusted_roots:
                hint = suggestion(root, self._policy.trusted_roots)
                self._tell(place, f"no trusted root is called {root}{hint}")
        windows: list[Anchor | Material] = [anchor]
        windows += [each for each in materials_of(anchor) if isinstance(each, Material)]
        for window in windows:
            early, late = window.valid_from, window.valid_until
            if early is not None and late is not None and early >= late:
                self._tell(place, f"{name}: valid-until is not after valid-from")

    def _rule(self, number: int, rule: Rule) -> None:
        for path, signers in signers_of(rule):
            place = self._merged.place("rules", number, "require", *path)
            self._known(anchors_in(signers), place)
            self._countable(signers, place)
        scans = rule.require.vulnerabilities
        if scans is not None:
            place = self._merged.place("rules", number, "require", "vulnerabilities")
            self._known(scans.vex_from, place)
            if scans.worst is None and (scans.vex_from or scans.allow):
                self._tell(place, "vex-from and allow matter only where worst is given")
        provenance = rule.require.provenance
        if provenance is not None and provenance.level and not self._policy.builders:
            place = self._merged.place("rules", number, "require", "provenance", "level")
            self._tell(place, "which builder has which level is for you to say, in builders")

    def _countable(self, signers: Signers, place: Place) -> None:
        """Refuse a group that nobody could ever be enough for."""
        if isinstance(signers, str):
            return
        if signers.at_least is not None and signers.at_least > len(signers.members):
            self._tell(
                place, f"at-least {signers.at_least} of {len(signers.members)} can never be met"
            )
        for each in signers.members:
            self._countable(each, place)

    def _emergency(self) -> None:
        one = self._policy.break_glass
        assert one is not None
        document = next(d for d in self._merged.documents if d.policy.break_glass is not None)
        place = document.place("break-glass", "signers")
        self._known(anchors_in(one.signers), place)
        self._countable(one.signers, place)
        self._known_rules(one.rules, document.place("break-glass", "rules"))
        if fewest_signers(one.signers) < 2:
            self._tell(
                place, "break-glass takes two people at least: {at-least: 2, of: [one, another]}"
            )


def fewest_signers(signers: Signers) -> int:
    """How many different people it takes at least to meet this."""
    if isinstance(signers, str):
        return 1
    inner = sorted(fewest_signers(each) for each in signers.members)
    if signers.at_least is not None:
        return sum(inner[: signers.at_least])
    # one person may hold the keys of several anchors
    return inner[0] if signers.any else inner[-1]


def signers_of(rule: Rule) -> Iterator[tuple[tuple[str | int, ...], Signers]]:
    """Every tree of signers in a rule, with where in `Require` it stands."""
    require = rule.require
    for name in ("", "provenance", "sbom", "vulnerabilities", "summary"):
        part = getattr(require, name) if name else require
        if part is not None and part.signers is not None:
            yield ((name, "signers") if name else ("signers",)), part.signers
    for number, one in enumerate(require.statements):
        if one.signers is not None:
            yield ("statements", number, "signers"), one.signers


def materials_of(anchor: Anchor) -> list[str | Material]:
    """All files and texts that an anchor is made of."""
    return [
        *anchor.keys,
        *anchor.authorities,
        *anchor.intermediates,
        *anchor.checksums,
        *anchor.baselines,
        *anchor.uefi_databases,
        *anchor.forbidden,
    ]
