"""The files of images, as a runtime would see them, from what was measured.

    [examined] = examine("oci:./layout", VerifyOptions(trust, formats=Options(files=True)))
    indexes = file_indexes(examined.gathered.reading, examined.facts)

Reading and measuring are done by then; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.formats.layer.files import is_recording
from assay.formats.layer.tree import RootTree
from assay.model.component import Component
from assay.model.files import FileIndex
from assay.model.measurement import Facts, Request
from assay.model.reading import Reading


def file_indexes(reading: Reading, facts: Facts) -> list[FileIndex]:
    """The files of each image that has layers of a file system, in the order of the images.

    The images have to be read with ``Options.files``; otherwise there is nothing to list.
    """
    return [
        FileIndex(manifest.id, tuple(tree.files()), tuple(tree.findings()), complete=tree.complete)
        for manifest, tree in root_trees(reading, facts)
    ]


def root_trees(reading: Reading, facts: Facts) -> Iterator[tuple[Component, RootTree]]:
    """The manifest of each image whose layers were recorded, and its layers on one another."""
    components = {component.id: component for component in reading.components}
    images: dict[str, list[tuple[str, Request]]] = {}
    for content, asked in reading.requests:
        if is_recording(asked):
            layer = components[content]
            if layer.kind != "oci-layer":
                layer = components[layer.parent]
            images.setdefault(layer.parent, []).append((content, asked))
    for manifest, asked_of in images.items():
        yield components[manifest], _flatten(manifest, asked_of, reading, facts)


def _flatten(
    manifest: str, contents: list[tuple[str, Request]], reading: Reading, facts: Facts
) -> RootTree:
    tree = RootTree()
    for content, request in contents:
        answer = facts.answers.get((content, request))
        if answer is None:
            tree.complete = False
        else:
            tree.apply(content, answer)
    left_out = manifest.removesuffix("manifest") + "layer["
    if any(skipped.component.startswith(left_out) for skipped in reading.not_checked):
        tree.complete = False
    return tree
