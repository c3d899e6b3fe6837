"""The files of images, as a runtime would see them, from what was measured.

    [examined] = examine("oci:./layout", VerifyOptions(trust, formats=Options(files=True)))
    indexes = file_indexes(examined.gathered.reading, examined.facts)

Reading and measuring are done by then; nothing is read here.
"""

from __future__ import annotations

from assay.formats.layer.files import record_request
from assay.formats.layer.tree import RootTree
from assay.model.component import Component
from assay.model.files import FileIndex
from assay.model.measurement import Facts
from assay.model.reading import Reading


def file_indexes(reading: Reading, facts: Facts) -> list[FileIndex]:
    """The files of each image that has layers of a file system, in the order of the images.

    The images have to be read with ``Options.files``; otherwise there is nothing to list.
    """
    components = {component.id: component for component in reading.components}
    request = record_request()
    images: dict[str, list[str]] = {}
    for content, asked in reading.requests:
        if asked == request:
            layer = components[content]
            if layer.kind != "oci-layer":
                layer = components[layer.parent]
            images.setdefault(layer.parent, []).append(content)
    return [
        _flatten(components[manifest], contents, reading, facts)
        for manifest, contents in images.items()
    ]


def _flatten(manifest: Component, contents: list[str], reading: Reading, facts: Facts) -> FileIndex:
    request = record_request()
    tree = RootTree()
    for content in contents:
        answer = facts.answers.get((content, request))
        if answer is None:
            tree.complete = False
        else:
            tree.apply(content, answer)
    left_out = manifest.id.removesuffix("manifest") + "layer["
    if any(skipped.component.startswith(left_out) for skipped in reading.not_checked):
        tree.complete = False
    return FileIndex(
        manifest.id, tuple(tree.files()), tuple(tree.findings()), complete=tree.complete
    )
