"""What signers noted in a signed document, beside the image's digest: as labels of the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from assay import limits

_PREFIX = "annotation:"


def as_labels(annotations: Mapping[str, Any]) -> dict[str, str]:
    """Text and numbers among ``annotations`` as labels of a component, shortened to what is worth
    showing. Raises nothing."""
    shown = (
        (f"{_PREFIX}{name[: limits.ANNOTATION]}", str(value)[: limits.ANNOTATION])
        for name, value in annotations.items()
        if isinstance(value, str | int | float)
    )
    return dict(islice(shown, limits.ANNOTATIONS))


def of_labels(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each annotation among the labels of a component."""
    for label, value in labels.items():
        if label.startswith(_PREFIX):
            yield label.removeprefix(_PREFIX), value
