"""What a boot measures, predicted and compared, as text for people and as JSON; the schemas are
`boot-prediction-1` and `boot-comparison-1`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from assay.model.finding import Finding
from assay.model.measured_boot import (
    BootComparison,
    EventDifference,
    NotPredicted,
    PredictedRegister,
    Prediction,
    RegisterComparison,
    RegisterOutcome,
)
from assay.report.findings import finding_lines
from assay.report.json import encode
from assay.report.style import WIDTH, Paint, counted, labelled, painter, presentable

_SHOWN_BANK = "sha256"
_OUTCOMES = {
    RegisterOutcome.EQUAL: ("as predicted", "good"),
    RegisterOutcome.DIFFERENT: ("DIFFERENT", "bad"),
    RegisterOutcome.AS_FAR_AS_KNOWN: ("as predicted, as far as that goes", "good"),
}


def render_json(prediction: Prediction) -> str:
    """A prediction as a JSON document."""
    return encode(msgspec.to_builtins(prediction))


def render_comparison_json(comparison: BootComparison) -> str:
    """A comparison as a JSON document."""
    value: dict[str, Any] = msgspec.to_builtins(comparison)
    value["exit_status"] = comparison.exit_status
    return encode(value)


def render(
    prediction: Prediction, *, color: bool = False, verbose: int = 0, width: int = WIDTH
) -> str:
    """A prediction PCR by PCR: its value, and the events behind it. Digests of events, and values
    in all banks, are shown with ``verbose``."""
    prediction = presentable(prediction)
    paint = painter(color)
    lines = [paint(prediction.image, "bold")]
    if prediction.program not in ("", "file"):
        lines.append(f"  starts {prediction.program}")
    for register in prediction.registers:
        lines += ["", *_register(register, paint, verbose, width)]
    lines += ["", *_left_out(prediction.not_predicted, width)]
    for number, assumption in enumerate(prediction.assumptions):
        lines += labelled("" if number else "assuming", assumption, width, indent=2, column=17)
    lines += _findings(prediction.findings, paint, width)
    return "\n".join(lines) + "\n"


def _register(register: PredictedRegister, paint: Paint, verbose: int, width: int) -> Iterator[str]:
    bank = _bank(register.values)
    value = f"{bank}:{register.values[bank]}" if bank else paint("not predicted", "warn")
    yield f"  {paint(f'PCR {register.pcr}', 'bold'):<{7 + len(paint('', 'bold'))}} {value}"
    if verbose:
        for other, found in register.values.items():
            if other != bank:
                yield f"         {other}:{found}"
    if register.unknown:
        yield from labelled("", register.unknown, width, indent=9, column=9)
    for event in register.events:
        where = f"  [{event.component}]" if event.component else ""
        yield f"         {event.type}  {event.what}{paint(where, 'dim')}"
        if verbose:
            for each, digest in event.digests.items():
                yield paint(f"           {each}:{digest}", "dim")
    if not register.events and not register.unknown:
        yield "         nothing extends it"
    for name, values in register.later.items():
        if bank:
            yield f"         {paint(f'after {name}', 'dim'):<24} {values[bank]}"


def _bank(values: dict[str, str]) -> str:
    return _SHOWN_BANK if _SHOWN_BANK in values else next(iter(values), "")


def _left_out(skipped: tuple[NotPredicted, ...], width: int) -> Iterator[str]:
    for each in skipped:
        pcrs = ", ".join(map(str, each.pcrs))
        what = f"PCR {pcrs}: {each.reason}"
        yield from labelled("not predicted", what, width, indent=2, column=17)


def _findings(findings: tuple[Finding, ...], paint: Paint, width: int) -> Iterator[str]:
    for finding in findings:
        yield ""
        yield from finding_lines(finding, paint, width=width)


def render_comparison(
    comparison: BootComparison, *, color: bool = False, width: int = WIDTH
) -> str:
    """A comparison: each PCR, and each event that is not as predicted."""
    comparison = presentable(comparison)
    paint = painter(color)
    word, style = {
        0: ("AS PREDICTED", "good"),
        1: ("DIFFERENT", "bad"),
        3: ("NOT FULLY COMPARED", "warn"),
    }[comparison.exit_status]
    lines = [f"{paint(word, style)}  {comparison.image}  {comparison.event_log}"]
    for register in comparison.registers:
        lines += _compared(register, paint, width)
    for event in comparison.further:
        where = event.component or paint("no part of the image", "warn")
        what = f"PCR {event.pcr}, event {event.event}: {event.logged}, which is {where}"
        lines += labelled("further", what, width, indent=2, column=11)
    lines += _left_out(comparison.not_compared, width)
    lines += _findings(comparison.findings, paint, width)
    return "\n".join(lines) + "\n"


def _compared(register: RegisterComparison, paint: Paint, width: int) -> Iterator[str]:
    text, style = _OUTCOMES[register.outcome]
    more = f", {counted(len(register.differences), 'event')}" if register.differences else ""
    yield f"  PCR {register.pcr:<3} {paint(text, style)}{more}"
    if register.outcome is RegisterOutcome.DIFFERENT:
        bank = _bank(register.predicted)
        if bank:
            yield f"    predicted  {bank}:{register.predicted[bank]}"
        bank = bank or _bank(register.logged)
        if bank in register.logged:
            yield f"    log        {bank}:{register.logged[bank]}"
    for difference in register.differences:
        yield from _difference(difference, paint, width)


def _difference(found: EventDifference, paint: Paint, width: int) -> Iterator[str]:
    number = f"  event {found.event}" if found.event is not None else ""
    where = f"  [{found.component}]" if found.component else ""
    yield f"    {paint(found.deviation.value, 'bad')}  {found.what}{number}{paint(where, 'dim')}"
    facts = (
        ("expected", f"{found.bank}:{found.expected}" if found.expected else ""),
        ("actual", f"{found.bank}:{found.actual}" if found.actual else ""),
        ("log says", found.logged),
        ("which is", found.measured),
        ("usually", found.means),
    )
    for label, text in facts:
        if text:
            yield from labelled(label, text, width, indent=6, column=16)
