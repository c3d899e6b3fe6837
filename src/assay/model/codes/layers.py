"""Codes about the entries of a layer: a tar archive that becomes part of a root file system.

What runtimes do with an entry was read in the layer specification (image-spec, layer.md). Things
that honest layers hold, such as absolute symbolic links or set-user-ID programs, are remarks or
nothing at all.
"""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

LAYER_PATH_TRAVERSAL = Code(
    "layer-path-traversal",
    "a layer reaches out of the root file system that it is part of",
    Severity.ERROR,
    Question.INTACT,
    "Names of entries and targets of hard links, with '..' resolved, and whether an entry's path"
    " leads through a symbolic link of the same layer that points out of the root.",
    "An attempt to make whatever unpacks the layer read or overwrite files of the machine it runs"
    " on. Tools that build layers do not write such entries.",
    "Do not unpack or run the image with anything, and report it to where you have it from.",
)

LAYER_PATH_UNCLEAN = Code(
    "layer-path-unclean",
    "a path in a layer is not written as layers write it",
    Severity.WARNING,
    Question.INTACT,
    "Whether names are relative, free of '..' and of control characters, not empty, and end with a"
    " slash only where they name directories; whether hard links name their target in the same"
    " way.",
    "A layer made by an unusual tool or by hand. Programs differ in where they put such an entry,"
    " and in whether they show it at all.",
    "Have the layer built again by a current tool. Look at the entry before you use the image.",
)

LAYER_NAME_ENCODING = Code(
    "layer-name-encoding",
    "a name in a layer is not UTF-8",
    Severity.INFO,
    Question.INTACT,
    "Whether the names of entries are UTF-8.",
    "Old files with names in another encoding. Reports show their bytes as escapes.",
    "Nothing, unless something that reads the image needs names to be text.",
)

LAYER_ENTRY_THROUGH_LINK = Code(
    "layer-entry-through-link",
    "an entry's path leads through a symbolic link of the same layer",
    Severity.WARNING,
    Question.INTACT,
    "Whether a directory in an entry's path, or in a hard link's target, is a symbolic link that"
    " the same layer made before.",
    "Packages merged into one layer without regard to each other. Some runtimes follow the link,"
    " others replace it by a directory, so the image differs from one to the next.",
    "Have the layer built from an unpacked file system, in which this cannot happen.",
)

LAYER_LINK_OUTSIDE = Code(
    "layer-link-outside",
    "a symbolic link climbs above the root",
    Severity.INFO,
    Question.INTACT,
    "Whether the '..' in relative symbolic links add up to more than the directories above the"
    " link.",
    "A link written with more '..' than needed. In a container it ends at the root; a program that"
    " follows it in an unpacked copy leaves the copy.",
    "Nothing for running the image. Take care with programs that follow links in unpacked images.",
)

LAYER_DEVICE = Code(
    "layer-device",
    "a layer holds device nodes",
    Severity.WARNING,
    Question.INTACT,
    "Whether entries are character or block devices. Character devices in dev/ are only remarked.",
    "Old base images hold a few nodes in dev/, which runtimes hide. Elsewhere, a node for a disk or"
    " for memory gives whoever may open it the whole machine.",
    "Have the image built without them; runtimes provide the devices that a container needs.",
)

LAYER_DUPLICATE_ENTRY = Code(
    "layer-duplicate-entry",
    "a layer has two entries of one name",
    Severity.WARNING,
    Question.INTACT,
    "Whether names, normalised, occur once in a layer. Directories may be listed again.",
    "A builder that appends without looking. Runtimes keep the last entry; programs that look for"
    " a file in the archive may show the first.",
    "Have the layer built again; compare the two entries before you rely on a scan of the image.",
)

LAYER_WHITEOUT_MISUSE = Code(
    "layer-whiteout-misuse",
    "a mark that hides files of lower layers is not as it must be",
    Severity.WARNING,
    Question.INTACT,
    "Whiteouts ('.wh.NAME') and opaque marks ('.wh..wh..opq') (image-spec, layer.md): empty regular"
    " files, for a proper name, with nothing below them, before and not after what the layer itself"
    " puts there; and no marks of overlay file systems (character device 0:0, trusted.overlay.*).",
    "A builder's defect, or an attempt to have a file that a scanner sees removed where the image"
    " runs, or the reverse.",
    "Have the layer built again. Find out which files differ between the tools that you use.",
)

LAYER_PRIVILEGED_FILE = Code(
    "layer-privileged-file",
    "a layer holds programs that run with more rights than their caller",
    Severity.INFO,
    Question.INTACT,
    "Which files have the set-user-ID or set-group-ID bit, or file capabilities.",
    "Most distributions have some (su, mount, passwd).",
    "Check that you know each of them. Images for services seldom need any.",
)

LAYER_SPARSE_ENTRY = Code(
    "layer-sparse-entry",
    "a layer holds sparse files",
    Severity.INFO,
    Question.INTACT,
    "Whether entries are stored with a map of holes (GNU).",
    "A tool that saves space. Not every program that reads layers knows the forms there are, and"
    " Assay gives no digest for the content of such a file.",
    "Have the layer built without sparse entries.",
)

LAYER_ENTRY_TYPE = Code(
    "layer-entry-type",
    "a layer has entries of a type that layers do not have",
    Severity.WARNING,
    Question.INTACT,
    "The type of each entry against those of the layer specification.",
    "An archive made for another purpose (a multi-volume backup, say), or a private extension."
    " Programs skip such an entry or take it for a file.",
    "Have the layer built by a tool for container images.",
)
