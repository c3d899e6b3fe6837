"""Compares one SBOM with one root file system."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from msgspec import Struct

from assay import limits
from assay.contents.files import Marks, account_of, mark, match_file, owned_marks
from assay.contents.packages import Outcome, Packages, shown
from assay.contents.roots import ImageRoot
from assay.model.codes import sbom as codes
from assay.model.contents import EntryCount, SbomReport
from assay.model.finding import Code, Finding, Severity
from assay.model.inventory import Inventory, ListedPackage
from assay.packages.installed import SYSTEM_KINDS
from assay.packages.model import Installed
from assay.printable import printable

Note = Callable[..., None]


class Compared(Struct, frozen=True):
    """What comparing gave. ``marks`` are the files that the SBOM accounts for, ``listed`` the
    installed packages that it lists."""

    report: SbomReport
    findings: list[Finding]
    marks: Marks
    listed: list[Installed]


class Differences:
    """Findings about single entries, the first ones of each code; the others are counted."""

    def __init__(self, where: str, *, asked: bool) -> None:
        self._where = where
        self._asked = asked
        self._counts: dict[str, int] = {}
        self.findings: list[Finding] = []

    def note(
        self,
        code: Code,
        detail: str,
        *,
        component: str = "",
        expected: str = "",
        actual: str = "",
        mild: bool = False,
    ) -> None:
        """Report an entry; as a warning where it is ``mild``, or nobody asked."""
        number = self._counts[code.name] = self._counts.get(code.name, 0) + 1
        if number > limits.SBOM_FINDINGS:
            return
        self.findings.append(
            Finding.of(
                code,
                component or self._where,
                detail,
                expected=printable(expected, 300),
                actual=printable(actual, 300),
                severity=None if self._asked and not mild else self._mild(code),
            )
        )

    def finish(self, known: dict[str, Code]) -> list[Finding]:
        """All findings, with how many there are beyond those shown."""
        for name, number in self._counts.items():
            if number > limits.SBOM_FINDINGS:
                more = number - limits.SBOM_FINDINGS
                worst = any(
                    finding.code == name and finding.severity is Severity.ERROR
                    for finding in self.findings
                )
                self.findings.append(
                    Finding.of(
                        known[name],
                        self._where,
                        f"and {more} more such entries",
                        severity=Severity.ERROR if worst else self._mild(known[name]),
                    )
                )
        return self.findings

    @staticmethod
    def _mild(code: Code) -> Severity:
        return Severity.INFO if code.severity is Severity.INFO else Severity.WARNING


CODES = {
    code.name: code
    for code in (
        codes.SBOM_ENTRY_MISSING,
        codes.SBOM_ENTRY_ALTERED,
        codes.SBOM_ENTRY_EXTRA,
        codes.PACKAGE_FILE_ALTERED,
    )
}


def compare(
    name: str,
    source: str,
    inventory: Inventory,
    image: ImageRoot,
    packages: Packages,
    *,
    asked: bool,
) -> Compared:
    """Look up every entry of an SBOM in an image whose layers could all be read."""
    differences = Differences(image.image, asked=asked)
    note = partial(_noted, differences, name)
    marks: Marks = {}
    files = _files(inventory, image, marks, note)
    listed: dict[int, Installed] = {}
    counts = _packages(inventory, packages, listed, note)
    found = list(listed.values())
    for path, way in owned_marks(image.root, found).items():
        mark(marks, path, way)
    report = SbomReport(
        name=name,
        source=source,
        format=inventory.format,
        packages=counts,
        files=files,
        accounted=account_of(image.root, marks),
    )
    return Compared(report, differences.finish(CODES), marks, found)


def _noted(differences: Differences, name: str, code: Code, detail: str, **more: object) -> None:
    differences.note(code, f"{printable(name, 200)}: {detail}", **more)  # type: ignore[arg-type]


def _files(inventory: Inventory, image: ImageRoot, marks: Marks, note: Note) -> EntryCount:
    outcomes: list[Outcome] = []
    for listed in inventory.files:
        match = match_file(image.root, listed)
        outcomes.append(match.outcome)
        shown_path = printable(listed.path, 300)
        if match.outcome is Outcome.MISSING:
            note(
                codes.SBOM_ENTRY_MISSING,
                f"{listed.where} lists the file {shown_path}, which is not in the image",
            )
        elif match.outcome is Outcome.ALTERED:
            note(
                codes.SBOM_ENTRY_ALTERED,
                f"{listed.where} lists the file {shown_path} with another content",
                component=image.root.entries[match.path].layer,
                expected=match.expected,
                actual=match.actual,
            )
        elif match.mark is not None:
            mark(marks, match.path, match.mark)
    return _counted(outcomes)


def _packages(
    inventory: Inventory, packages: Packages, listed: dict[int, Installed], note: Note
) -> EntryCount:
    outcomes: list[Outcome] = []
    for entry in inventory.packages:
        match = packages.find(entry)
        outcomes.append(match.outcome)
        if match.outcome is Outcome.MATCHED:
            listed.update((id(one), one) for one in match.installed)
        elif match.outcome is Outcome.MISSING:
            note(
                codes.SBOM_ENTRY_MISSING,
                f"{entry.where} lists the package {_shown(entry)}, which is not installed",
                mild=_kind(entry) not in SYSTEM_KINDS,
            )
        elif match.outcome is Outcome.ALTERED:
            note(
                codes.SBOM_ENTRY_ALTERED,
                f"{entry.where} lists the package {_shown(entry)} in another version",
                expected=entry.purl.version if entry.purl is not None else entry.version,
                actual=shown(match.installed),
            )
    return _counted(outcomes)


def _kind(entry: ListedPackage) -> str:
    return entry.purl.kind if entry.purl is not None else ""


def _shown(entry: ListedPackage) -> str:
    return printable(str(entry.purl) if entry.purl is not None else entry.name, 300)


def _counted(outcomes: Iterable[Outcome]) -> EntryCount:
    found = list(outcomes)
    return EntryCount(
        listed=len(found),
        matched=found.count(Outcome.MATCHED),
        altered=found.count(Outcome.ALTERED),
        missing=found.count(Outcome.MISSING),
        not_compared=found.count(Outcome.NOT_COMPARED),
    )
