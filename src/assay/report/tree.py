"""An image as a tree of components, for `assay inspect`."""

from __future__ import annotations

from assay.model.finding import Severity
from assay.model.verdict import ComponentReport, State, Verdict
from assay.report.text import finding_lines, human_size, painter

_MARK = {
    State.BOUND: "bound",
    State.CONSISTENT: "ok",
    State.BROKEN: "BROKEN",
    State.UNCLAIMED: "-",
    State.EXCLUDED: "excluded",
}


def render(verdict: Verdict, *, color: bool = False) -> str:
    """The tree, what was found beside it, the signatures, and the findings but the obvious one
    that nobody was trusted."""
    paint = painter(color)
    lines = [f"{paint(verdict.image, 'bold')}  {verdict.format}"]
    if verdict.resolved != verdict.image:
        lines.append(f"  {verdict.resolved}")
    lines.append(
        f"  {human_size(verdict.coverage.total)}, {verdict.claims_held} claims hold"
        f" and {verdict.claims_broken} do not; nothing here is vouched for"
    )
    lines.append("")
    inside = [component for component in verdict.components if not component.external]
    ids = {component.id for component in inside}
    tops = [component for component in inside if component.parent not in ids]
    rows: list[tuple[str, ComponentReport]] = []
    for top in tops:
        _walk(top, inside, "", "", rows)
    width = min(max((len(label) for label, _ in rows), default=0), 56)
    for label, component in rows:
        digest = component.digests[0] if component.digests else ""
        lines.append(
            f"  {label:<{width}}  {human_size(component.size):>11}  {_MARK[component.state]:<8}"
            f"  {paint(component.media_type or component.kind, 'dim')}"
        )
        if digest:
            lines.append(f"  {'':<{width}}  {'':>11}  {paint(digest, 'dim')}")
    for component in verdict.components:
        if component.external:
            lines.append(f"  beside: {component.id} ({component.kind})")
    for skipped in verdict.not_checked:
        lines.append(
            f"  not looked at: {skipped.component} ({human_size(skipped.size)}): {skipped.reason}"
        )
    for signature in verdict.signatures:
        lines.append(
            f"  signature: {signature.id}, {signature.scheme}, over {signature.document}"
            f" ({signature.status})"
        )
    for finding in verdict.findings:
        if finding.code != "no-anchor" and (
            finding.severity is not Severity.INFO or finding.detail
        ):
            lines.append("")
            lines += finding_lines(finding, paint, short=finding.code == "wrong-key")
    return "\n".join(lines) + "\n"


def _walk(
    component: ComponentReport,
    inside: list[ComponentReport],
    lead: str,
    branch: str,
    rows: list[tuple[str, ComponentReport]],
) -> None:
    rows.append((f"{lead}{branch}{component.id}", component))
    children = [child for child in inside if child.parent == component.id]
    below = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    for child in children:
        last = child is children[-1]
        _walk(child, inside, below, "└─ " if last else "├─ ", rows)
