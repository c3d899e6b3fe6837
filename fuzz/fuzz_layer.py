"""Fuzz target: the content of a layer gives the same findings whether it is scanned in a hurry or
recorded file by file, and can be put on itself."""

from __future__ import annotations

from assay.formats.layer.files import LayerRecorder
from assay.formats.layer.scanner import LayerScanner
from assay.formats.layer.tree import RootTree


def one_input(data: bytes) -> None:
    """Scan the bytes in pieces, record the files in them, and put them on themselves."""
    step = 1 + (data[0] if data else 0) * 17
    scanner, recorder, slow = LayerScanner(), LayerRecorder(), LayerRecorder()
    for at in range(0, len(data), step):
        scanner.update(memoryview(data)[at : at + step])
        recorder.update(memoryview(data)[at : at + step])
    for at in range(0, len(data), 500):  # no header is whole, and so none is read in a hurry
        slow.update(memoryview(data)[at : at + 500])
    quick, thorough = scanner.finish(), slow.finish()
    assert quick.findings == thorough.findings
    assert recorder.finish() == thorough
    tree = RootTree()
    tree.apply("one", thorough)
    tree.apply("two", thorough)
    for _ in tree.files():
        pass
