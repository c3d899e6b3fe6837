"""Codes about Linux kernels, their modules, and initial RAM disks."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

MODULE_TRAILER = Code(
    "module-trailer",
    "what the kernel module ends with is no signature that can be used",
    Severity.ERROR,
    Question.AUTHENTIC,
    "The structure at the end of a module against the kernel's definition: the mark is the last"
    " thing in the file, unused fields are zero, and the length is that of the signature.",
    "A truncated module, one to which something was appended or that was stripped after signing, or"
    " one made so that two readers take different bytes for signed.",
    "Get the module again from its publisher, or have it signed again after the last change to it.",
)

MODULE_SIGNATURE_NESTED = Code(
    "module-signature-nested",
    "below the signature of the kernel module is another one",
    Severity.ERROR,
    Question.AUTHENTIC,
    "Whether the bytes that a module's signature covers end with a signature themselves.",
    "A signed module was signed a second time. Who removes a signature to look at the module finds"
    " another one than the kernel does.",
    "Have the module stripped of its signature and signed once.",
)

MODULE_NOT_SIGNED = Code(
    "module-not-signed",
    "the kernel module carries no signature",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether a module ends with the mark of an appended signature.",
    "A module that was built outside of the distribution (DKMS without a signing key), or one that"
    " was stripped after signing. A kernel that asks for signatures does not load it.",
    "Have the module signed by someone the kernel knows.",
)

MODULE_MALFORMED = Code(
    "module-malformed",
    "the kernel module is no ELF file that a kernel could load",
    Severity.ERROR,
    Question.INTACT,
    "The ELF header, the section headers and the section .modinfo of a module.",
    "A damaged or truncated file, or another one under a module's name.",
    "Get the module again from its publisher.",
)

MODULE_RELEASE = Code(
    "module-release",
    "the module was built for another kernel",
    Severity.ERROR,
    Question.ALLOWED,
    "The release that the module names (vermagic) against that of the kernel which is to load it.",
    "Modules of several kernels were mixed up, or the kernel was updated and its modules were not.",
    "Install modules and kernel of the same version.",
)

KERNEL_MALFORMED = Code(
    "kernel-malformed",
    "the kernel image cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "The headers of a kernel image (the x86 boot protocol, the header of arm64 and RISC-V images,"
    " EFI zboot) against the file, and its compressed content.",
    "A damaged or truncated file, or one made so that two programs read it differently.",
    "Get the kernel again from its publisher.",
)

KERNEL_COMPRESSION = Code(
    "kernel-compression",
    "the kernel is compressed in a way that is not read",
    Severity.ERROR,
    Question.CHECKED,
    "The first bytes of what a kernel image holds against gzip, xz, zstd, LZ4, bzip2 and LZMA.",
    "A kernel compressed with LZO, or something that is no kernel.",
    "Give the uncompressed kernel (vmlinux), or certificates of its keys with --ca.",
)

KERNEL_KEYRING = Code(
    "kernel-keyring",
    "no list of built-in keys was found in the kernel",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the kernel holds, exactly once, certificates in a row that its own record of their"
    " length confirms (system_certificate_list).",
    "A kernel built without module signatures, or with a compressed or unusual layout. A list of"
    " revoked certificates is not taken for one of trusted ones.",
    "Give the certificates of the kernel's keys with --ca.",
)

KERNEL_RELEASE_UNKNOWN = Code(
    "kernel-release-unknown",
    "the kernel does not tell its release",
    Severity.WARNING,
    Question.CHECKED,
    "The text that a kernel introduces itself with when it starts (Linux version ...).",
    "A kernel whose text was changed. Whether modules were built for it is not compared then.",
    "Compare the vermagic of the modules with the kernel's release yourself.",
)

INITRD_MALFORMED = Code(
    "initrd-malformed",
    "an archive in the initial RAM disk cannot be read",
    Severity.ERROR,
    Question.INTACT,
    "Each archive in an initial RAM disk against the cpio formats of kernels (newc and crc).",
    "A damaged or truncated file, or one made so that two programs find different files in it.",
    "Make the initial RAM disk again.",
)
