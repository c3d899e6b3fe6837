"""Codes about SBOMs, and about what they list against what an image holds."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

SBOM_MALFORMED = Code(
    "sbom-malformed",
    "the SBOM cannot be read",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the document is SPDX 2.2, 2.3 or 3.0, or CycloneDX 1.x, in JSON, tag-value or XML, and"
    " whether the packages, files and digests in it are written as the format has them.",
    "A document that was cut off or edited by hand, of another kind, or made by a tool with a"
    " defect. Programs differ in what they make of such a document.",
    "Make the SBOM again with a current tool, or ask the publisher for one that is well-formed.",
)

SBOM_NOT_COMPARED = Code(
    "sbom-not-compared",
    "the SBOM could not be compared with the image",
    Severity.ERROR,
    Question.CHECKED,
    "Whether it is clear which image the SBOM is about, and whether all layers of that image could"
    " be read to their end.",
    "The image is of several platforms and an SBOM is about one; it is no container image; or a"
    " layer is missing, encrypted or damaged (other findings say so).",
    "Name the platform with --platform. Get layers that are missing.",
)

SBOM_REQUIRED = Code(
    "sbom-required",
    "no SBOM of the image is vouched for",
    Severity.ERROR,
    Question.ALLOWED,
    "Whether a statement with an SBOM about this image was signed by somebody that you trust, and"
    " could be compared.",
    "The publisher attaches no SBOM, or signs it with another key than the image.",
    "Ask the publisher for a signed SBOM (an in-toto statement), and give it with --attestation if"
    " it is not kept beside the image.",
)

SBOM_ENTRY_MISSING = Code(
    "sbom-entry-missing",
    "the SBOM lists what the image does not hold",
    Severity.ERROR,
    Question.ALLOWED,
    "Files that the SBOM lists against the files of the image once all layers are on one another,"
    " and packages against the databases of installed packages and the manifests of languages.",
    "An SBOM of another version of the image, or of its sources. A file was removed after the SBOM"
    " was made. Software that is part of a program and has no manifest of its own is a warning.",
    "Get the SBOM that belongs to this image. If there is none, find out from the publisher what"
    " became of the entry.",
)

SBOM_ENTRY_ALTERED = Code(
    "sbom-entry-altered",
    "what the image holds is not what the SBOM lists",
    Severity.ERROR,
    Question.ALLOWED,
    "The digests of files against those in the SBOM, and versions of installed packages.",
    "An SBOM of another version of the image, or a change to the image after the SBOM was made.",
    "Get the SBOM that belongs to this image. Treat the difference as a change that nobody has"
    " declared until the publisher explains it.",
)

SBOM_ENTRY_EXTRA = Code(
    "sbom-entry-extra",
    "a package is installed that no SBOM lists",
    Severity.WARNING,
    Question.ALLOWED,
    "The packages in the image's databases and manifests against those that the SBOMs list.",
    "An SBOM that is not complete, or was made before the package was added. Who looks for"
    " vulnerabilities by the SBOM does not see the package.",
    "Ask the publisher for an SBOM that lists all that is installed.",
)

SBOM_COVERAGE_LOW = Code(
    "sbom-coverage-low",
    "too few files of the image are accounted for",
    Severity.ERROR,
    Question.ALLOWED,
    "Regular files of the image that an SBOM lists with the right digest, or that belong to a"
    " package which an SBOM lists and have the checksum of its database, out of all.",
    "Files were copied into the image beside its packages and the SBOM does not list them.",
    "Ask the publisher for an SBOM that lists the files. `assay verify -v` names some of those that"
    " are not accounted for.",
)

SBOM_FILES_UNACCOUNTED = Code(
    "sbom-files-unaccounted",
    "files of the image are not accounted for by any SBOM",
    Severity.INFO,
    Question.ALLOWED,
    "Which regular files belong to no package that an SBOM lists, and are not listed themselves.",
    "Files that a program made while the image was built, or that were copied into it.",
    "Look at the files named. Ask the publisher for an SBOM that lists them.",
)

PACKAGE_FILE_ALTERED = Code(
    "package-file-altered",
    "a file is not the one that its package installed",
    Severity.WARNING,
    Question.ALLOWED,
    "The checksums in the database of installed packages against the files of the image. Files that"
    " the database knows as configuration are left out.",
    "A later step of the build changed or replaced the file; a later layer may have replaced what a"
    " trusted base image brought. The database then says nothing true about it.",
    "Find out which step changed the file, and why. Have the package rebuilt with the change.",
)

PACKAGES_UNREADABLE = Code(
    "packages-unreadable",
    "a database of installed packages could not be read",
    Severity.WARNING,
    Question.CHECKED,
    "Whether each package database that stands in the image can be read here: dpkg, apk, rpm in"
    " SQLite, and the manifests of Python, npm, Ruby, Java and Go.",
    "An older rpm database (Berkeley DB, ndb), one that is reached through a symbolic link, is"
    " larger than is kept in memory, or damaged.",
    "Compare the image with an SBOM that lists its files: that needs no database.",
)
