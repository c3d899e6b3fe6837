"""Every bound on what hostile input may make Assay do, in one place. Sizes are bytes."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

READ_CHUNK = 1 * MIB
"""How much is read, hashed and inflated at a time. Below 256 KiB threads spend their time on
handing the interpreter over; above 4 MiB the processor's caches no longer help."""

MANIFEST_SIZE = 4 * MIB
"""An OCI manifest, index or configuration (distribution-spec: registries should accept 4 MiB)."""

DOCUMENT_SIZE = 64 * MIB
"""A checksum file, baseline, key ring or detached signature."""

SIGNATURE_SIZE = 1 * MIB
KEY_FILE_SIZE = 16 * MIB

JSON_DEPTH = 64

CBOR_DEPTH = 64
CBOR_ITEMS = 1_000_000

INDEX_DEPTH = 8
"""Nested image indexes."""
INDEX_ENTRIES = 4096
LAYERS = 4096
IMAGE_DOCUMENTS = 64 * MIB
"""Manifests, indexes and configurations of one image, together."""

DECOMPRESSED_SIZE = 1024 * GIB
"""The most that one compressed stream may expand to."""
DECOMPRESSION_RATIO = 1032 * 8
"""Deflate cannot exceed 1032:1; zstd can, honestly only on runs of equal bytes."""
DECOMPRESSION_RATIO_FLOOR = 64 * MIB
"""Ratios are only judged beyond this many bytes of output."""
DECOMPRESSION_LARGE = 16 * GIB
"""Output from which on a stream has to be worth its length: a gzip bomb stays below 1032:1."""
DECOMPRESSION_LARGE_RATIO = 500
DECOMPRESSION_MEMORY = 256 * MIB
"""What a decoder may hold of what it has seen (xz -9 needs 65 MiB; zstd stops at 128 MiB)."""
COMPRESSED_MEMBERS = 5_000_000
"""gzip members, zstd frames, xz or bzip2 streams in a row."""

TAR_ENTRIES = 5_000_000
TAR_NAME_LENGTH = 4096 * 4
TAR_EXTENSION_SIZE = 1 * MIB
"""A pax header or GNU long name."""
TAR_FINDINGS = 64
"""Irregularities after which an archive is not read any further."""
LAYER_NAMES_HELD = 100_000
"""Names of a layer's entries held as they are; earlier ones take 16 bytes each."""
LAYER_DIRECTORIES = 1_000_000
LAYER_DEPTH = 256
"""Directories within one another in a layer."""
LAYER_LINKS = 500_000
"""Symbolic links in one layer."""
LAYER_FILES = 500_000
"""Files of an image whose digests are listed."""
ARCHIVE_MEMBERS = 200_000
"""Members of an archive that holds images (not of a layer)."""
ARCHIVE_LINKS = 8
"""Links followed to reach one member."""
ARCHIVE_SNIFF_MEMBERS = 4096
"""Members looked at to tell an image archive from any other tar archive."""
ARCHIVE_SNIFF_STRANGERS = 256
"""And so many while none of them has a name that is typical of image archives."""
ARCHIVE_DOCUMENTS = 256 * MIB
"""Documents of a compressed archive that are kept in memory while it is checked."""

CONTENT_IN_MEMORY = 1 * GIB
"""Most that is held in memory for a signature scheme that cannot work from a digest."""
STDIN_SPOOL = 64 * GIB

STATEMENT_SUBJECTS = 16_384
"""Subjects of one in-toto statement."""
STATEMENT_DIGESTS = 64
"""Digests of one subject."""

COMPONENTS = 200_000
SIGNATURES = 1024
CHECKSUM_LINES = 2_000_000
CHECKSUM_ENTRIES = 1024
"""Entries of one checksum file about one file."""
CHUNKS = 16_000_000
DETECT_HEAD = 64 * KIB
NESTING = 16
"""Formats within formats."""

HTTP_REDIRECTS = 10
HTTP_ATTEMPTS = 4
"""Attempts at one request before its failure counts."""
HTTP_RESUMES = 1000
"""Continuations of one interrupted transfer, in all."""
HTTP_PROGRESS = 64 * KIB
"""An interrupted transfer must have got this far for its attempts to be counted anew."""
HTTP_SLOWEST_RATE = 512
"""Bytes a second, over the length of a time-out, below which a transfer counts as stalled."""
HTTP_HEADER_LENGTH = 16 * KIB
"""One header that is parsed further: a challenge, a link."""
RETRY_AFTER_SECONDS = 60.0
"""The longest that a server may make us wait before the next attempt."""

REMOTE_SIZE = 1024 * GIB
"""A file on a web server that does not announce its size."""
REMOTE_HEAD = 64 * KIB
"""Read at once when a remote blob is opened: enough to recognise it, and all of a small one."""
REMOTE_HEADS = 64 * MIB
"""Held of the beginnings of one image's blobs; beyond it only their first bytes are kept."""

TOKEN_RESPONSE_SIZE = 1 * MIB
ERROR_BODY_SIZE = 64 * KIB
CREDENTIAL_FILE_SIZE = 4 * MIB
CREDENTIAL_HELPER_OUTPUT = 64 * KIB
CREDENTIAL_HELPER_SECONDS = 60.0

REGISTRY_MEMORY_SECONDS = 5.0
"""For so long it is not asked again which tags a repository has, and whether a registry lists what
refers to an image."""
REGISTRY_PAGES = 1000
REGISTRY_TAGS = 1_000_000
REFERRERS = 10_000

ASN1_DEPTH = 32
ASN1_OID_SIZE = 64
PEM_BLOCKS = 10_000
"""Blocks in one PEM file: a bundle of every public authority has some hundreds."""

SSH_ENTRIES = 100_000
"""Keys in a list of allowed signers."""
SSH_BITMAP_BITS = 1 << 20
"""Serial numbers that one bitmap of a key revocation list covers."""

CERTIFICATE_SIZE = 128 * KIB
CERTIFICATE_EXTENSIONS = 64
NAME_SIZE = 8 * KIB
"""A distinguished name."""
CERTIFICATE_NAMES = 4096
"""Names in one certificate, or in one list of constraints."""
NAME_COMPARISONS = 250_000
"""Names against constraints, in one path."""
PATH_LENGTH = 10
"""Certificates from signer to anchor, both included."""
PATH_CHECKS = 100
"""Certificate signatures checked in the search for one path."""
PATH_STEPS = 1000
"""Paths that are begun in the search for one."""
CRL_SIZE = 64 * MIB
CRLS = 256
CERTIFICATES_IN_FILE = 1000

OCSP_SIZE = 256 * KIB
OCSP_ANSWERS = 256
"""In one response: some responders answer for many certificates at once."""
OCSP_CERTIFICATES = 16
OCSP_SECONDS = 5.0
"""For one question to a responder, all in all."""
CRL_SECONDS = 10.0
"""For one revocation list, all in all."""
REVOCATION_PLACES = 4
"""Responders, or lists, of one certificate that are asked."""
REVOCATION_MEMORY_SECONDS = 60.0
"""For which what a place said, or that it said nothing, is not asked for again."""
REVOCATION_MEMORY_ENTRIES = 256
REVOCATION_CACHE_SIZE = 256 * MIB
KEPT_FACTS = 256 * MIB
"""Bytes of facts that are kept from one run to the next; those unused for longest make room."""
KEPT_CONTENT = 64 * KIB
"""A blob of at most this many bytes is kept itself: configurations, signatures, statements."""
KEPT_ANSWER = 32 * MIB
"""What was measured of one blob, as it is kept."""
REVOCATION_CACHE_FILES = 512
REVOCATION_ANSWER_AGE = 300.0
"""Seconds for which an answer counts that does not say until when it does."""

PE_HEADERS = 256 * KIB
PE_SECTIONS = 512
"""Windows loads at most 96; unified kernel images with many profiles come to some dozens."""
PE_STRINGS = 64 * KIB
"""The COFF string table, where long section names stand."""
PE_CERTIFICATE_TABLE = 4 * MIB
PE_CERTIFICATES = 32
UKI_TEXT = 64 * KIB
"""A section of a unified kernel image that is text: a command line, os-release."""
UKI_PROFILES = 256
"""As many as systemd-stub takes."""
PCR_SIGNATURES = 256
"""Signed PCR values in one section: phases of a boot, times banks, times keys."""
PCR_SIGNATURES_SIZE = 1 * MIB
PCR_PHASE_PATHS = 32
PCR_REREADS = 64
"""How often the size of an image may be read to measure its profiles, which share most of it."""
PCR_HARDWARE = 256
"""Choices that hardware may make among the sections of one image, on which PCR 11 depends."""
SBAT_SIZE = 64 * KIB
SBAT_LEVEL_FILE = 16 * MIB
"""A revocation level as a file, or a shim that has one in it."""
SBAT_ENTRIES = 256
"""Lines of SBAT data; real ones have about five."""

GPT_ENTRIES_SIZE = 1 * MIB
"""The entries of one partition table: 8192 of the usual length; 128 is the usual number."""
MBR_LOGICAL = 256
"""Logical partitions on one disk."""
VERITY_SUPERBLOCKS = 64
"""Superblocks in one file that are tried."""
VERITY_SIGNATURE_SIZE = 1 * MIB
"""What a verity signature partition holds."""
FAT_TABLE_SIZE = 16 * MIB
"""One file allocation table: that of a file system of 16 GiB with clusters of 4096 bytes."""
FAT_ENTRIES = 50_000
"""Files and directories in one FAT file system."""
FAT_DIRECTORY_SIZE = 2 * MIB
"""One directory: 65536 entries."""
FAT_DEPTH = 64
FAT_FRAGMENTS = 200_000
"""Pieces that all files, or all free clusters, of one FAT file system are in."""

CMS_CERTIFICATES = 256
CMS_SIGNERS = 32
CMS_ATTRIBUTES = 64
CMS_TIMESTAMPS = 16

UEFI_SIGNATURES = 65_536
"""Entries of all lists of one variable; a variable has some 32 KiB on most machines."""
UEFI_SIGNATURE_LISTS = 4096
UEFI_VARIABLES = 10_000
UEFI_VARIABLE_SIZE = 4 * MIB
"""One variable, or an update of one."""
UEFI_STORE_SIZE = 128 * MIB
"""A volume with variables; the files of AAVMF have 64 MiB, most of it empty."""
BOOT_FILES = 200_000
"""Files of a directory that are looked at for programs to start."""

OPENPGP_PACKETS = 200_000
"""In one file; a keyring of a whole distribution's developers has about that many."""
OPENPGP_PARTS = 1_000_000
"""Pieces of one packet whose length was not known when it was begun."""
OPENPGP_SIGNATURES = 128
"""In one signature file or signed message: each may ask for a digest of its own."""
OPENPGP_CHECKS = 2000
"""Signatures on one certificate that are checked."""

SIGNATURE_VALUE = 16 * KIB
"""The bare value of a signature; the longest one of any algorithm (ML-DSA-87) has 4627 bytes."""
ENVELOPE_SIGNATURES = 256
"""Signatures of one DSSE envelope."""
ATTESTATIONS = 4096
"""Statements in one file, one a line."""
STATEMENT_CLAIMS = 100_000
"""Subjects of a statement, times the components that each may be about."""
PREDICATE_ENTRIES = 100_000
"""Entries of one list in a predicate: vulnerabilities, dependencies, assessments."""
PREDICATE_PARAMETERS = 4096
"""Values in the parameters of a build."""
PREDICATE_PATH = 4096
"""Characters of the path to a parameter: each value in an object has that of the object again."""
SIGSTORE_BUNDLE_SIZE = 32 * MIB
SIGSTORE_LOG_ENTRIES = 32
SIGSTORE_TIMESTAMPS = 32
SIGSTORE_TRUSTED_ROOT_ENTRIES = 256
CERTIFICATE_TIMESTAMPS = 32
WITNESS_POLICY_SIZE = 4 * MIB
WITNESS_POLICY_LINES = 1024
"""Logs, witnesses and groups in one policy."""
MERKLE_PROOF_HASHES = 64
"""Of a tree of 2**64 entries."""

ATTACHED = 200
"""Signatures and attestations of one image that are looked at."""
ATTACHED_LAYERS = 64
ATTACHED_SIZE = 128 * MIB
"""One signature or attestation."""

WRITE_ROUNDS = 16
"""Attempts at adding to a list that others change meanwhile."""
WRITE_SETTLE_SECONDS = 0.25
"""After which a list is read once more: another writer that began before us has ended by then."""

NOTARY_CERTIFICATES = 32
"""Certificates in one Notary signature."""
NOTARY_HEADERS = 64
"""Names in the list of critical headers."""
NOTATION_POLICY_SIZE = 10 * MIB
NOTATION_ENTRIES = 4096
"""Policies, scopes, stores or identities in one list; files in one trust store."""

REFERENCE = 2048
"""Characters of an image's name, as a signed document has it, that are kept; names have to be
shorter than that."""
ANNOTATIONS = 64
"""Annotations of one signed document that are kept to be shown."""
ANNOTATION = 500
"""Characters of a name or value among them that are kept to be shown."""
POLICY_SIZE = 4 * MIB
"""A trust policy of another tool."""
POLICY_FILES = 1000
"""Documents of one policy, or files in an artifact with one."""
POLICY_SCOPES = 10_000
"""Scopes in one policy, and requirements in all of them."""

TUF_ROOT_SIZE = 512 * KIB
TUF_ROOTS = 256
"""Versions of the root that one update goes through."""
TUF_TIMESTAMP_SIZE = 16 * KIB
TUF_SNAPSHOT_SIZE = 2 * MIB
TUF_TARGETS_SIZE = 5 * MIB
TUF_DELEGATIONS = 32
TRUSTED_ROOT_SIZE = 16 * MIB

REGISTRIES_D_FILES = 1000
"""Files in a registries.d directory."""

YAML_SIZE = 1 * MIB
YAML_DOCUMENTS = 1000
"""Documents in one file."""
YAML_NODES = 100_000
"""Values in one file, with each alias counted as all that it stands for."""

PRIVATE_KEY_SIZE = 16 * KIB
"""A file with a private key; the longest ones are RSA keys of 16384 bits."""
SCRYPT_MEMORY = 1 * GIB + 64 * MIB
"""What a private key may ask for to be decrypted: minisign asks for 1 GiB."""
SCRYPT_WORK = 4 * GIB
"""That memory, times how often it is gone through."""

BUNDLE_LIST_SIZE = 64 * MIB
BUNDLE_ENTRIES = 100_000
BUNDLE_DOCUMENTS = 1 * GIB
"""All of an offline bundle but the image's content."""

SBOM_PACKAGES = 200_000
SBOM_FILES = 1_000_000
SBOM_DIGESTS = 32
"""Digests of one file in an SBOM."""
SBOM_XML_ELEMENTS = 5_000_000
SBOM_FINDINGS = 50
"""Entries of one kind that differ and are reported one by one; the others are counted."""
SBOMS = 64
"""SBOMs compared with one image."""
SBOM_DOCUMENTS = 512
"""Statements in which they are looked for."""
PURL_LENGTH = 4096

PACKAGES = 200_000
"""Packages installed in one image."""
PACKAGE_FILES = 5_000_000
"""Files that the databases of one image say belong to packages."""
PACKAGE_DATABASE_SIZE = 256 * MIB
PACKAGE_MANIFEST_SIZE = 4 * MIB
"""A manifest of one package: metadata, a list of files."""
CAPTURED_SIZE = 768 * MIB
"""What is kept in memory of files in layers, in one verification."""
SQLITE_STEPS = 20_000
"""Thousands of instructions that SQLite may take to read a package database."""
JAR_SIZE = 64 * MIB
JAR_ENTRIES = 100_000
PATH_LINKS = 40
"""Symbolic links followed to resolve one path in a root file system."""

TCG_LOG_SIZE = 16 * MIB
TCG_EVENTS = 20_000
TCG_BANKS = 16
TCG_DIGEST_SIZE = 64
TCG_SHOWN = 400
"""Characters of an event's text that are shown."""
TCG_SHOWN_BYTES = 64
TCG_PATH_NODES = 64
TCG_PARTITIONS = 256
"""Partitions or tables of one event that are shown."""
LABELS = 1000
"""Labels, or annotations, of one image that policies may ask about."""
LABEL_LENGTH = 8192
"""One of them, its name included."""
STATEMENT_NAMES = 64
"""Names that one statement gives an image."""
EXPRESSION_LENGTH = 4096
"""A condition of a policy in CEL."""
FACTS_SIZE = 256 * MIB
"""Recorded facts in one file."""
MODULE_SIZE = 512 * MIB
"""A kernel module, decompressed: it is held in memory."""
MODULE_INFO = 4 * MIB
"""The section .modinfo of a module, or the names of its sections."""
MODULE_TAIL = 64 * KIB
"""Bytes at the end of a module in which a misplaced signature is looked for."""
MODULES = 50_000
"""Modules of one tree."""
KERNEL_SIZE = 1 * GIB
"""A kernel, decompressed."""
KERNEL_KEYRING = 512 * KIB
"""All certificates built into a kernel."""
KERNEL_CERTIFICATES = 1024
KERNEL_CANDIDATES = 100_000
"""Places in a kernel where a certificate might begin."""
CPIO_ENTRIES = 500_000
"""Files in one initial RAM disk."""
CPIO_NAME = 4096
INITRD_PARTS = 256
"""Archives in one initial RAM disk."""
INITRD_SIZE = 16 * GIB
"""One archive of an initial RAM disk, decompressed."""
