"""A comparison, as text for people and as JSON; its schema is `comparison-1`."""

from __future__ import annotations

from typing import Any

import msgspec

from assay.model.comparison import (
    ByteRanges,
    Comparison,
    ComponentDifference,
    Difference,
    FileChange,
    FileComparison,
    Outcome,
    Side,
    ValueChange,
)
from assay.model.files import FileEntry, FileKind
from assay.report.json import encode
from assay.report.style import (
    WIDTH,
    Paint,
    counted,
    human_size,
    labelled,
    painter,
    presentable,
)

_OUTCOMES = {
    Outcome.SAME: ("SAME", "good"),
    Outcome.DIFFERENT: ("DIFFERENT", "bad"),
    Outcome.UNKNOWN: ("NOT COMPARED", "warn"),
}

_TITLES = {
    Difference.ONLY_IN_A: "only in a",
    Difference.ONLY_IN_B: "only in b",
    Difference.CONTENT: "differs",
    Difference.COMPRESSION: "same content, other compression",
    Difference.ORDER: "the same, in another place",
    Difference.VALUES: "differs in its values",
}


def to_value(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values."""
    value: dict[str, Any] = msgspec.to_builtins(comparison)
    value["exit_status"] = comparison.exit_status
    return value


def render_json(comparison: Comparison) -> str:
    """The comparison as a JSON document."""
    return encode(to_value(comparison))


def render(comparison: Comparison, *, color: bool = False, width: int = WIDTH) -> str:
    """What differs, from the whole down to bytes, values and files."""
    comparison = presentable(comparison)
    paint = painter(color)
    word, style = _OUTCOMES[comparison.outcome]
    lines = [f"{paint(word, style)}  {comparison.a.name}  {comparison.b.name}"]
    lines += _side("a", comparison.a, width)
    lines += _side("b", comparison.b, width)
    different = len(comparison.components)
    if comparison.same_components or different:
        lines.append(
            f"  {counted(comparison.same_components, 'component')} the same,"
            f" {different or 'none'} not"
        )
    for difference in comparison.components:
        lines += ["", *_component(difference, paint, width)]
    for files in comparison.files:
        if files.changes or not files.complete:
            lines += ["", *_files(files, paint)]
    told = {finding.detail for side in (comparison.a, comparison.b) for finding in side.findings}
    for skipped in comparison.not_compared:
        if skipped.reason in told:
            continue
        lines += [
            "",
            f"  {paint('not compared', 'warn')}  {skipped.component}",
            *labelled("", skipped.reason, width, indent=4, column=4),
        ]
    return "\n".join(lines) + "\n"


def _side(mark: str, side: Side, width: int) -> list[str]:
    what = f"baseline of {side.format}" if side.baseline else side.format
    parts = [what]
    if side.size is not None:
        parts.append(human_size(side.size))
    if side.digest:
        parts.append(side.digest)
    lines = [f"  {mark}  {', '.join(parts)}"]
    for finding in side.findings:
        text = f"{finding.code} at {finding.component or 'the image'}: {finding.detail}"
        lines += labelled("", text, width, indent=5, column=5)
    return lines


def _component(difference: ComponentDifference, paint: Paint, width: int) -> list[str]:
    name = difference.b or difference.a
    if difference.a and difference.b and difference.a != difference.b:
        name = f"{difference.a} in a, {difference.b} in b"
    title = _TITLES[difference.difference]
    detail = f": {difference.detail}" if difference.detail else ""
    lines = [f"  {paint(name, 'bold')}  {title}{detail}"]
    for mark, there, size, digest in (
        ("a", difference.a, difference.size_a, difference.digest_a),
        ("b", difference.b, difference.size_b, difference.digest_b),
    ):
        if there:
            lines.append(f"    {mark}  {human_size(size)}  {digest}".rstrip())
    if difference.bytes is not None:
        lines += _bytes(difference.bytes, width)
    for change in difference.values:
        lines += _value(change, width)
    if difference.more_values:
        lines.append(f"    and {counted(difference.more_values, 'more value')}")
    return lines


def _bytes(found: ByteRanges, width: int) -> list[str]:
    if found.granularity == 1:
        amount = counted(found.different, "byte differs", "bytes differ")
    else:
        amount = (
            f"up to {counted(found.different, 'byte')} differ, told by chunks of"
            f" {human_size(found.granularity)}"
        )
    total = len(found.ranges) + found.more
    shown = ", ".join(
        str(start) if end == start + 1 else f"{start}-{end - 1}" for start, end in found.ranges
    )
    more = f" and {counted(found.more, 'more range')}" if found.more else ""
    lines = labelled(
        "",
        f"{amount}, in {counted(total, 'range')}: {shown}{more}",
        width,
        indent=4,
        column=4,
    )
    if found.note:
        lines += labelled("", found.note, width, indent=4, column=4)
    return lines


def _value(change: ValueChange, width: int) -> list[str]:
    if change.a is None:
        text = f"only in b: {change.b}"
    elif change.b is None:
        text = f"only in a: {change.a}"
    else:
        text = f"{change.a} -> {change.b}"
    return labelled("", f"{change.path or 'the whole'}  {text}", width, indent=4, column=4)


def _files(files: FileComparison, paint: Paint) -> list[str]:
    counts = [
        f"{number} {word}"
        for number, word in (
            (files.changed, "changed"),
            (files.added, "only in b"),
            (files.removed, "only in a"),
            (files.same, "the same"),
        )
        if number
    ]
    lines = [f"  {paint(f'files of {files.b}', 'bold')}  {', '.join(counts) or 'none'}"]
    if not files.complete:
        lines.append("    a layer could not be read to its end: the list is not complete")
    lines += [f"    {_file(change)}" for change in files.changes]
    more = files.changed + files.added + files.removed - len(files.changes)
    if more:
        lines.append(f"    and {counted(more, 'more file')}")
    return lines


def _file(change: FileChange) -> str:
    if change.a is None:
        assert change.b is not None
        return f"only in b  {change.path}  {_entry(change.b)}"
    if change.b is None:
        return f"only in a  {change.path}  {_entry(change.a)}"
    parts = [_changed(name, change.a, change.b) for name in change.changed]
    return f"changed    {change.path}  {', '.join(parts)}"


def _entry(entry: FileEntry) -> str:
    if entry.kind is FileKind.FILE:
        return human_size(entry.size)
    return f"{entry.kind.value} to {entry.link}" if entry.link else entry.kind.value


def _changed(name: str, a: FileEntry, b: FileEntry) -> str:
    shown = {
        "kind": (a.kind.value, b.kind.value),
        "mode": (f"{a.mode:04o}", f"{b.mode:04o}"),
        "owner": (f"{a.user}:{a.group}", f"{b.user}:{b.group}"),
        "link": (a.link, b.link),
        "device": (f"{a.device[0]}:{a.device[1]}", f"{b.device[0]}:{b.device[1]}"),
        "content": (human_size(a.size), human_size(b.size)),
    }[name]
    if name == "content" and a.size == b.size:
        return f"content ({human_size(b.size)})"
    if name == "content" and shown[0] == shown[1]:
        return f"content {a.size} B -> {b.size} B"
    return f"{name} {shown[0]} -> {shown[1]}"
