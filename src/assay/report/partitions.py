"""The partitions of a disk as a table, for `assay inspect`."""

from __future__ import annotations

from assay.model.verdict import ComponentReport, State, Verdict
from assay.report.style import Paint, human_size

_HEAD = ("partition", "offset", "size", "claimed", "type", "content")
_LABELS = {"number", "offset", "type"}
"""What a partition has."""


def partition_lines(verdict: Verdict, paint: Paint) -> list[str]:
    """One line for each partition: where it is, how much of it some claim that holds is about, what
    it is for and what is in it. Nothing for an image without partitions."""
    rows: list[tuple[str, ...]] = [_HEAD]
    rows += [_row(found) for found in verdict.components if found.labels.keys() >= _LABELS]
    if len(rows) == 1:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    lines: list[str] = []
    for row in rows:
        cells = [
            text.rjust(width) if 0 < column < 4 else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=False))
        ]
        line = f"  {'  '.join((*cells, row[-1]))}".rstrip()
        lines.append(paint(line, "dim") if row is _HEAD else line)
    return ["", *lines]


def _row(found: ComponentReport) -> tuple[str, ...]:
    labels = found.labels
    content = labels.get("content", "") if found.kind == "partition" else found.description
    title = labels["type"]
    if (name := labels.get("name", "")) not in ("", title):
        title += f" ({name})"
    return (
        found.id,
        human_size(int(labels["offset"])),
        human_size(found.size or 0),
        _claimed(found),
        title,
        content or found.kind.replace("partition", "unknown"),
    )


def _claimed(found: ComponentReport) -> str:
    if not found.size:
        return "-"
    good = (State.BOUND.value, State.CONSISTENT.value)
    if found.spans:
        count = sum(end - start for state in good for start, end in found.spans.get(state, ()))
    else:
        count = found.size if found.state.value in good else 0
    if found.state is State.BROKEN:
        return "BROKEN"
    # what is left out of a hundred must not read as all
    return f"{count * 100 // found.size} %" if count else "-"
