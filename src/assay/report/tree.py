"""An image as a tree of components, for `assay inspect`."""

from __future__ import annotations

from collections.abc import Sequence

from assay.evidence.annotations import of_labels
from assay.model.codes.trust import NO_ANCHOR, WRONG_KEY
from assay.model.verdict import ComponentReport, State, Verdict
from assay.report.findings import findings_section
from assay.report.partitions import partition_lines
from assay.report.statements import statement_lines
from assay.report.style import WIDTH, Paint, counted, human_size, labelled, painter, presentable

_MARK = {
    State.BOUND: ("bound", "good"),
    State.CONSISTENT: ("agrees", "good"),
    State.BROKEN: ("BROKEN", "bad"),
    State.UNCLAIMED: ("-", "plain"),
    State.EXCLUDED: ("excluded", "dim"),
}
_LABEL = 44
"""Columns for names; longer ones push the rest to the right."""
_ENTRIES = ("efi-signature-list", "efi-hash", "efi-certificate-hash", "kernel-module")
"""Kinds of which a revocation database, or a tree of modules, has hundreds side by side."""
_ENTRIES_SHOWN = 8
_SIGNATURES_SHOWN = 20


def render(verdict: Verdict, *, color: bool = False, verbose: int = 0, width: int = WIDTH) -> str:
    """The tree, what was found beside it, the signatures, and the findings but the obvious one
    that nobody was trusted."""
    verdict = presentable(verdict)
    paint = painter(color)
    lines = [f"{paint(verdict.image, 'bold')}  {verdict.format}"]
    if verdict.resolved != verdict.image:
        lines.append(f"  {paint(verdict.resolved, 'dim')}")
    broken = f", {verdict.claims_broken} broken" if verdict.claims_broken else ""
    held = counted(verdict.claims_held, "claim holds", "claims hold")
    lines += labelled(
        "",
        f"{human_size(verdict.coverage.total)}, {held}{broken}; nothing here is vouched for",
        width,
        indent=2,
        column=2,
    )
    lines += partition_lines(verdict, paint)
    if verdict.components:
        lines += ["", *tree_lines(verdict, paint, every=bool(verbose))]
    beside = [component for component in verdict.components if component.external]
    if beside or verdict.not_checked or verdict.signatures:
        lines.append("")
    titles = {statement.document: statement.title for statement in verdict.statements}
    for component in beside:
        lines.append(f"  beside     {component.id} ({titles.get(component.id, component.kind)})")
        for said in _notes(component):
            lines += labelled("", said, width, indent=13, column=13)
    lines += statement_lines(verdict, width, every=bool(verbose))
    for skipped in verdict.not_checked:
        text = f"{skipped.component} ({human_size(skipped.size)}): {skipped.reason}"
        lines += labelled("left out", text, width, indent=2, column=13)
    signatures = verdict.signatures if verbose else verdict.signatures[:_SIGNATURES_SHOWN]
    for signature in signatures:
        text = f"{signature.id}: {signature.scheme} over {signature.document}, not checked"
        lines += labelled("signature", text, width, indent=2, column=13)
        for made in _makers(verdict, signature.id):
            lines += labelled("", made, width, indent=13, column=13)
    if len(signatures) < len(verdict.signatures):
        more = len(verdict.signatures) - len(signatures)
        lines += labelled("", f"and {more} more (-v lists all)", width, indent=2, column=13)
    shown = [
        finding
        for finding in verdict.findings
        if finding.code not in (NO_ANCHOR.name, WRONG_KEY.name)
    ]
    lines += findings_section(verdict, shown, paint, every=bool(verbose), width=width)
    return "\n".join(lines) + "\n"


def _notes(component: ComponentReport) -> list[str]:
    """What a signed document says beside the image's digest."""
    told = [f"{name}={value}" for name, value in of_labels(component.labels)]
    if name := component.labels.get("docker-reference"):
        told.insert(0, f"for {name}")
    return ["says, not verified: " + ", ".join(told)] if told else []


def _makers(verdict: Verdict, signature: str) -> list[str]:
    """What a signature says of who made it. Here, where no key was given, every key is wrong."""
    return [
        finding.detail.removeprefix(f"{signature}: ")
        for finding in verdict.findings
        if finding.code == WRONG_KEY.name and finding.detail.startswith(f"{signature}: ")
    ]


def children_of(verdict: Verdict) -> dict[str, list[ComponentReport]]:
    """The components of the image itself by the id of the one above each; those at the top, and
    those whose parent is not in the verdict, are under the empty id."""
    inside = [component for component in verdict.components if not component.external]
    ids = {component.id for component in inside}
    children: dict[str, list[ComponentReport]] = {}
    for component in inside:
        above = component.parent if component.parent in ids else ""
        children.setdefault(above, []).append(component)
    return children


def tree_lines(verdict: Verdict, paint: Paint, *, every: bool = True) -> list[str]:
    """The components below one another, each with its size, state, type and digest. Of many small
    ones of a kind only the first are shown, unless ``every``."""
    children = children_of(verdict)
    top = children.get("", [])
    rows: list[tuple[str, str, ComponentReport | None]] = []
    # a stack and no recursion: the depth is the image's to choose
    pending: list[tuple[ComponentReport | str, str, str]] = [
        (component, "", "") for component in reversed(top if every else _first(top))
    ]
    while pending:
        component, lead, branch = pending.pop()
        if isinstance(component, str):
            rows.append((lead + branch + component, "", None))
            continue
        below = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        inner = children.pop(component.id, []) if component.id else []
        shown: Sequence[ComponentReport | str] = inner if every else _first(inner)
        rows.append(
            (lead + branch + _short(component), below + ("│ " if inner else "  "), component)
        )
        last = shown[-1:] and shown[-1]
        pending += [(child, below, "└─ " if child is last else "├─ ") for child in reversed(shown)]
    width = min(max((len(label) for label, _, _ in rows), default=0), _LABEL)
    lines: list[str] = []
    for label, below, row in rows:
        if row is None:
            lines.append(f"  {label}")
            continue
        mark, style = _MARK[row.state]
        size = "?" if row.size is None else human_size(row.size)
        lines.append(
            f"  {label:<{width}}  {size:>10}  {paint(f'{mark:<8}', style)}"
            f"  {paint(row.media_type or row.kind, 'dim')}"
            + (f"  {name}" if (name := row.labels.get("name")) else "")
        )
        lines += [f"  {below}{paint(digest, 'dim')}" for digest in row.digests]
    return lines


def _short(component: ComponentReport) -> str:
    """The id, without what it has in common with the one above where that is a path itself."""
    above = f"{component.parent}/"
    long = "/" in component.parent and component.id.startswith(above)
    return component.id.removeprefix(above) if long else component.id


def _first(components: Sequence[ComponentReport]) -> list[ComponentReport | str]:
    """What is shown of the components below one another; text stands for those that are not."""
    shown: list[ComponentReport | str] = []
    seen = 0
    for component in components:
        if component.kind in _ENTRIES:
            seen += 1
            if seen > _ENTRIES_SHOWN:
                continue
        shown.append(component)
    if seen > _ENTRIES_SHOWN:
        shown.append(f"and {seen - _ENTRIES_SHOWN} more (-v lists all)")
    return shown
