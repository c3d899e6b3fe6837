"""Several images in one call.

Most of what an image in a registry takes is waiting for answers. While one image is measured and
judged, the headers and the evidence of those after it are fetched; measuring stays one image after
the other, since it makes use of all cores by itself. The verdicts come in the order of the names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from assay.model.verdict import Verdict
from assay.pipeline import Examined, Gathered, VerifyOptions, conclude, discover, with_policy
from assay.sources.open import transport_of

FETCHED_AT_ONCE = 8
"""Images fetched at the same time; as many as connections are kept to one server."""
AHEAD = 16
"""Images that may be fetched and not yet judged: their documents are held in memory."""
_REMOTE = ("docker", "http", "https")

Name = TypeVar("Name")
Found = TypeVar("Found")


def verify_each(names: Sequence[str], request: VerifyOptions) -> Iterator[Verdict]:
    """The verdicts of all images of the names, in their order, each as soon as it is there.

    Raises UsageError when it comes to a name that makes no sense.
    """
    remote = [name for name in names if _is_remote(name)]
    if len(remote) < 2:
        for name in names:
            yield from _verdicts(*_gathered(name, request))
        return
    with _Ahead(lambda name: _gathered(name, request), remote) as fetched:
        for name in names:
            found = fetched.next() if _is_remote(name) else _gathered(name, request)
            yield from _verdicts(*found)


def _is_remote(name: str) -> bool:
    return bool(name) and "\0" not in name and transport_of(name)[0] in _REMOTE


_Gathering = tuple[Sequence[Gathered | Examined], VerifyOptions]


def _gathered(name: str, request: VerifyOptions) -> _Gathering:
    request = with_policy(name, request)
    return list(discover(name, request)), request


def _verdicts(found: Sequence[Gathered | Examined], request: VerifyOptions) -> Iterator[Verdict]:
    for each in found:
        yield conclude(each, request).verdict


class _Ahead(Generic[Name, Found]):
    """Does a piece of work for each of several names on threads of its own; `next` waits for the
    next one's outcome. The threads end with the process, whatever they wait for."""

    def __init__(self, work: Callable[[Name], Found], names: Sequence[Name]) -> None:
        self._work = work
        self._names: Iterator[tuple[int, Name]] = iter(enumerate(names))
        self._outcomes: dict[int, Found | BaseException] = {}
        self._changed = threading.Condition()
        self._room = threading.Semaphore(AHEAD)
        self._given = 0
        self._ended = False
        for _ in range(min(FETCHED_AT_ONCE, len(names))):
            threading.Thread(target=self._run, name="assay-fetch", daemon=True).start()

    def __enter__(self) -> _Ahead[Name, Found]:
        return self

    def __exit__(self, *about: object) -> None:
        self._ended = True
        for _ in range(FETCHED_AT_ONCE):
            self._room.release()

    def _run(self) -> None:
        while True:
            self._room.acquire()
            with self._changed:
                following = next(self._names, None)
            if following is None or self._ended:
                return
            number, name = following
            outcome: Found | BaseException
            try:
                outcome = self._work(name)
            except BaseException as error:
                outcome = error
            with self._changed:
                self._outcomes[number] = outcome
                self._changed.notify_all()

    def next(self) -> Found:
        """The outcome for the next name. Raises what the work raised."""
        with self._changed:
            while self._given not in self._outcomes:
                self._changed.wait()
            outcome = self._outcomes.pop(self._given)
        self._given += 1
        self._room.release()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome
