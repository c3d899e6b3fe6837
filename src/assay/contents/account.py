"""Compares images with the SBOMs about them that count, and says how much is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from assay.contents.candidates import GIVEN, Candidate
from assay.contents.compare import CODES, Compared, Differences, compare
from assay.contents.files import Marks, account_of, altered, mark
from assay.contents.options import ContentOptions
from assay.contents.packages import Packages
from assay.contents.plan import Plan
from assay.contents.roots import ImageRoot
from assay.model.codes import sbom as codes
from assay.model.contents import ContentAccount, DatabaseReport
from assay.model.digest import Digest
from assay.model.files import FileKind
from assay.model.finding import Finding, Severity
from assay.model.measurement import Facts
from assay.packages.installed import SYSTEM_KINDS
from assay.packages.model import Database, Installed
from assay.printable import printable

_EXAMPLES = 10


class Accounts(Struct, frozen=True):
    """The answer: for each image what is accounted for, and the findings."""

    accounts: tuple[ContentAccount, ...]
    findings: list[Finding]


def account(
    plan: Plan, images: Sequence[ImageRoot], root: str, facts: Facts, bound: Iterable[str]
) -> Accounts:
    """Compare each image with the SBOMs about it: those given, and those in statements among the
    ``bound`` components. ``root`` is the component that a digest of the image means."""
    trusted = set(bound)
    chosen = [one for one in plan.candidates if _counts(one, trusted, facts)]
    findings: list[Finding] = list(plan.findings)
    about: dict[str, list[Candidate]] = {image.image: [] for image in images}
    for candidate in chosen:
        if candidate.inventory is None:
            if candidate.finding is not None:
                findings.append(_severe(candidate.finding, plan.options, candidate))
            continue
        places = _images_of(candidate, images, root, facts)
        if isinstance(places, str):
            found = Finding.of(
                codes.SBOM_NOT_COMPARED, root, f"{printable(candidate.name, 200)}: {places}"
            )
            findings.append(_severe(found, plan.options, candidate))
            continue
        for place in places:
            about[place].append(candidate)
    accounts = [_of_image(image, about[image.image], plan.options, findings) for image in images]
    findings += _demands(plan, chosen, about, root)
    if not plan.options.asked:
        accounts = [one for one in accounts if one.sboms]
    return Accounts(tuple(accounts), findings)


def _counts(candidate: Candidate, trusted: set[str], facts: Facts) -> bool:
    """Whether an SBOM is to be compared: by the user's word, or because somebody vouches for the
    very bytes that were read."""
    if candidate.source == GIVEN:
        return True
    read = candidate.digest
    return candidate.document in trusted and (
        read is None or facts.hash(candidate.document, read.algorithm) == read.value
    )


def _images_of(
    candidate: Candidate, images: Sequence[ImageRoot], root: str, facts: Facts
) -> list[str] | str:
    """The images that an SBOM is about, or why that cannot be said. One about an index is about the
    image in it, if there is one."""
    names = [image.image for image in images]
    if not names:
        return "there are no layers of a file system that it could be compared with"
    if candidate.subjects is not None:
        found = [name for name in names if _is_one(candidate.subjects, name, facts)]
        if found:
            return found
        if not _is_one(candidate.subjects, root, facts):
            return "it is about another image"
    if len(names) == 1:
        return names
    return f"an SBOM is about one image, and here are {len(names)}; --platform names one"


def _is_one(subjects: Sequence[Digest], component: str, facts: Facts) -> bool:
    return any(
        digest.binding and facts.hash(component, digest.algorithm) == digest.value
        for digest in subjects
    )


def _severe(finding: Finding, options: ContentOptions, candidate: Candidate) -> Finding:
    """An SBOM that the user did not ask for cannot refuse an image."""
    if options.asked or candidate.source == GIVEN:
        return finding
    return replace(finding, severity=Severity.WARNING)


def _of_image(
    image: ImageRoot,
    candidates: Sequence[Candidate],
    options: ContentOptions,
    findings: list[Finding],
) -> ContentAccount:
    packages = Packages(image.databases)
    compared: list[Compared] = []
    marks: Marks = {}
    listed: dict[int, Installed] = {}
    if image.complete:
        for candidate in candidates:
            assert candidate.inventory is not None
            asked = options.asked or candidate.source == GIVEN
            found = compare(
                candidate.name, candidate.source, candidate.inventory, image, packages, asked=asked
            )
            compared.append(found)
            findings += found.findings
            for path, way in found.marks.items():
                mark(marks, path, way)
            listed.update((id(one), one) for one in found.listed)
        if compared:
            findings += _beyond(image, compared, listed, marks)
    elif candidates:
        findings += [
            _severe(
                Finding.of(
                    codes.SBOM_NOT_COMPARED,
                    image.image,
                    f"{printable(candidate.name, 200)}: not every layer could be read to its end",
                ),
                options,
                candidate,
            )
            for candidate in candidates
        ]
    if candidates:
        findings += _unread(image.databases, options)
    files = account_of(image.root, marks)
    noted = [package for package in packages.all if package.noted]
    if options.coverage is not None and image.complete and candidates:
        findings += _coverage(image, options.coverage, files.fraction, marks)
    return ContentAccount(
        image=image.image,
        complete=image.complete,
        files=files,
        packages_installed=len(noted),
        packages_listed=sum(1 for package in noted if id(package) in listed),
        databases=tuple(_reports(image.databases)),
        sboms=tuple(found.report for found in compared),
    )


def _reports(databases: Iterable[Database]) -> Iterator[DatabaseReport]:
    for group in _grouped(databases):
        first, wrong = group[0], [one for one in group if one.problem]
        problem = wrong[0].problem if wrong else ""
        if len(group) > 1 and wrong:
            problem = (
                f"{len(wrong)} of {len(group)}, the first is {_text(wrong[0].path)}: {problem}"
            )
        yield DatabaseReport(
            kind=first.kind,
            path=_text(first.path),
            layer=first.layer,
            packages=sum(len(one.packages) for one in group),
            problem=problem,
        )


def _grouped(databases: Iterable[Database]) -> list[list[Database]]:
    """Databases of distributions each for itself, and the manifests of a language in one layer
    together: there may be thousands."""
    groups: dict[tuple[str, str, bytes], list[Database]] = {}
    for database in databases:
        own = database.path if database.kind in SYSTEM_KINDS else b""
        groups.setdefault((database.kind, database.layer, own), []).append(database)
    return list(groups.values())


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _shown(path: bytes) -> str:
    return printable(_text(path), 300)


def _beyond(
    image: ImageRoot,
    compared: Sequence[Compared],
    listed: Mapping[int, Installed],
    marks: Marks,
) -> list[Finding]:
    """What is in the image and not as its SBOMs and databases would have it."""
    differences = Differences(image.image, asked=True)
    kinds = {package.kind for package in listed.values()}
    if any(found.report.packages.listed for found in compared):
        for database in image.databases:
            extra = [one for one in database.packages if one.noted and id(one) not in listed]
            if len(extra) > 1 and database.kind not in kinds:
                differences.note(
                    codes.SBOM_ENTRY_EXTRA,
                    f"{len(extra)} packages of {_shown(database.path)}: no package of the kind"
                    f" {database.kind} is listed",
                    component=database.layer,
                )
                continue
            for package in extra:
                differences.note(
                    codes.SBOM_ENTRY_EXTRA,
                    f"{printable(str(package.purl), 300)}, by {_shown(database.path)}",
                    component=database.layer,
                )
    for found in altered(image.root, image.databases):
        where = f"{found.package.name} {found.package.version} has another {_shown(found.path)}"
        if found.entry.layer != found.database.layer:
            where += f"; the database is in {found.database.layer}, the file in {found.entry.layer}"
        actual = dict(found.entry.digests)[found.algorithm]
        differences.note(
            codes.PACKAGE_FILE_ALTERED,
            printable(where, 600),
            component=found.entry.layer,
            expected=f"{found.algorithm}:{found.expected.hex()}",
            actual=f"{found.algorithm}:{actual.hex()}",
        )
    findings = differences.finish(CODES)
    left = _unaccounted(image, marks)
    if left:
        examples = ", ".join(_shown(path) for path in left[:_EXAMPLES])
        more = f" and {len(left) - _EXAMPLES} more" if len(left) > _EXAMPLES else ""
        findings.append(Finding.of(codes.SBOM_FILES_UNACCOUNTED, image.image, f"{examples}{more}"))
    return findings


def _unaccounted(image: ImageRoot, marks: Marks) -> list[bytes]:
    return sorted(
        path
        for path, entry in image.root.entries.items()
        if entry.kind is FileKind.FILE and path not in marks
    )


def _unread(databases: Sequence[Database], options: ContentOptions) -> list[Finding]:
    """Databases that could not be read. Those of a distribution matter to who asks."""
    return [
        Finding.of(
            codes.PACKAGES_UNREADABLE,
            report.layer,
            f"{printable(report.path, 300)} ({report.kind}): {printable(report.problem, 400)}",
            severity=Severity.ERROR
            if options.asked and report.kind in SYSTEM_KINDS
            else Severity.WARNING,
        )
        for report in _reports(databases)
        if report.problem
    ]


def _coverage(image: ImageRoot, wanted: float, have: float, marks: Marks) -> list[Finding]:
    if have >= wanted:
        return []
    examples = ", ".join(_shown(path) for path in _unaccounted(image, marks)[:_EXAMPLES])
    return [
        Finding.of(
            codes.SBOM_COVERAGE_LOW,
            image.image,
            f"not accounted for, among others: {examples}",
            expected=f"at least {100 * wanted:g} %",
            actual=f"{min(100 * have, 99.99):.2f} %",
        )
    ]


def _demands(
    plan: Plan, chosen: Sequence[Candidate], about: Mapping[str, list[Candidate]], root: str
) -> list[Finding]:
    """What was asked for and is not there."""
    options = plan.options
    findings: list[Finding] = []
    for image, candidates in about.items() or [(root, [])]:
        if options.required and not any(one.source != GIVEN for one in candidates):
            unknown = len([one for one in plan.candidates if one not in chosen])
            detail = "no SBOM about it was found"
            if unknown:
                detail = f"SBOMs found that nobody you trust vouches for: {unknown}"
            findings.append(Finding.of(codes.SBOM_REQUIRED, image, detail))
        if options.coverage is not None and not candidates:
            findings.append(
                Finding.of(
                    codes.SBOM_COVERAGE_LOW,
                    image,
                    "there is no SBOM that could account for its files",
                    expected=f"at least {100 * options.coverage:g} %",
                    actual="0 %",
                )
            )
    return findings
