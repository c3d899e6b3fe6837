"""Codes about bytes: what they are, against what is claimed of them."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

DIGEST_MISMATCH = Code(
    "digest-mismatch",
    "the bytes do not have the digest that is claimed of them",
    Severity.ERROR,
    Question.INTACT,
    "The digest of the component's bytes, computed while they were read, against the digest in the"
    " document (or on the command line) that speaks of them.",
    "The bytes were changed or damaged after the claim was made, the claim belongs to another"
    " version, or, when the claim came with a download, either of the two was replaced. If the size"
    " is wrong too, the file is probably cut short or a different file altogether.",
    "Get the component again from its publisher and compare. If it still differs, treat it as"
    " tampered with: do not use it, and tell the publisher which digest you see.",
)

SIZE_MISMATCH = Code(
    "size-mismatch",
    "the number of bytes is not the one claimed",
    Severity.ERROR,
    Question.INTACT,
    "The number of bytes read against the size in the document that speaks of the component.",
    "Fewer bytes than claimed: an interrupted download or copy, or a full disk. More bytes than"
    " claimed: data was appended, or it is another file.",
    "Transfer the component again. Appended data deserves suspicion: look at what follows the"
    " claimed end.",
)

CHUNK_MISMATCH = Code(
    "chunk-mismatch",
    "some chunks do not have the digests that are claimed of them",
    Severity.ERROR,
    Question.INTACT,
    "Each chunk of the component against its own digest in a baseline or hash tree.",
    "A few damaged chunks point to bad storage or memory; one changed stretch amid good chunks to"
    " an edit; everything after some offset to a cut or shifted file.",
    "Restore the named byte ranges from a good copy, or get the whole component again. Check the"
    " storage if it happens twice.",
)

UNCLAIMED_BYTES = Code(
    "unclaimed-bytes",
    "some bytes of the image are vouched for by nothing",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether every byte of the image is reached by some satisfied claim that leads back to an"
    " anchor.",
    "Slack, trailing data, or parts that the scheme does not sign. Whoever can write to the image"
    " can change them without any signature noticing.",
    "Find out what the bytes are (`assay inspect`). Ask the publisher to cover them, or use a"
    " baseline of your own that does.",
)

CONSISTENT_ONLY = Code(
    "consistent-only",
    "some bytes agree with claims that nobody you trust has made",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether the documents whose claims hold are themselves vouched for by an anchor.",
    "A part of the image is consistent in itself, but it is not the part (or not the version) that"
    " your anchor speaks of.",
    "Use an anchor that covers the whole image: the digest or a signature of the top document.",
)

REWRITTEN_CONSISTENTLY = Code(
    "rewritten-consistently",
    "the image agrees with itself, under another root than the trusted one",
    Severity.ERROR,
    Question.INTACT,
    "Whether, when the top document has the wrong digest, all below it still agrees with it.",
    "This is no accident: the image was rebuilt, or replaced by another version or by an attacker,"
    " with matching digests all through. Damage in transit does not do that.",
    "Compare with the publisher's current digest. If the publisher did not release a new version,"
    " treat the image as substituted.",
)

WEAK_DIGEST_ONLY = Code(
    "weak-digest-only",
    "only a broken digest algorithm speaks for these bytes",
    Severity.WARNING,
    Question.AUTHENTIC,
    "Whether the claims that hold use algorithms for which nobody can make two files alike.",
    "The checksum is MD5 or SHA-1. It shows accidental damage; an attacker can get past it.",
    "Ask the publisher for SHA-256 or better.",
)

CLAIM_UNCHECKED = Code(
    "claim-unchecked",
    "a claim could not be compared with the bytes",
    Severity.ERROR,
    Question.CHECKED,
    "Whether everything that a document claims was measured.",
    "The component that it speaks of is missing or could not be read to its end.",
    "Mend the other findings first, then run the check again.",
)

UNREADABLE = Code(
    "unreadable",
    "the bytes could not be read",
    Severity.ERROR,
    Question.CHECKED,
    "Whether every byte that is to be checked can be read.",
    "A missing permission, a broken disk or network, a file that went away or shrank while it was"
    " read.",
    "Mend the cause named in the detail and run the check again.",
)

NOT_FOUND = Code(
    "not-found",
    "there is nothing by that name",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the image, or a part of it that its own documents name, exists.",
    "A misspelt name, a path relative to another folder, an incomplete copy.",
    "Check the name. For a part of an image, copy the image again in full.",
)

MISSING_COMPONENT = Code(
    "missing-component",
    "a part that the image's own documents name is not there",
    Severity.ERROR,
    Question.INTACT,
    "Whether each blob that a manifest or index refers to can be found beside it.",
    "An incomplete copy or an interrupted push; sometimes a layout that was thinned out to one"
    " platform.",
    "Copy the image again in full, or name the platform that you need with --platform.",
)

AMBIGUOUS_FORMAT = Code(
    "ambiguous-format",
    "the bytes can be read as more than one format",
    Severity.ERROR,
    Question.INTACT,
    "How many formats recognise the bytes.",
    "A polyglot: two programs can be made to see two different images in the same file. That is"
    " how a scanner is shown one thing and a loader another.",
    "If you know what the file is meant to be, say so with --type and judge the rest by coverage;"
    " otherwise do not use it.",
)

POLYGLOT = Code(
    "polyglot",
    "the file is of several kinds at once",
    Severity.WARNING,
    Question.INTACT,
    "The marks at the beginning, at a few fixed places and at the end by which programs recognise"
    " what a file is.",
    "An installer that carries an archive is ordinary, and only remarked. Anything else was made so"
    " that one program sees other content in it than the next.",
    "Find out what the publisher says that the file is. Use it only with the program it is for.",
)

DATA_AROUND_ARCHIVE = Code(
    "data-around-archive",
    "an archive does not fill the file that it is in",
    Severity.WARNING,
    Question.INTACT,
    "Where the archive's own records say that it starts and ends, against the file's size.",
    "Data put before or behind an archive is not seen by the programs that unpack it. A file cut"
    " off amid its content looks alike.",
    "Find out what the bytes are. Get the archive again from its publisher and compare.",
)

MALFORMED = Code(
    "malformed",
    "a document does not follow its format",
    Severity.ERROR,
    Question.INTACT,
    "The structure of the document against its specification, strictly.",
    "A truncated or damaged file, a file of another kind, a defect in the tool that made it, or an"
    " attempt to make two readers see different things.",
    "Get the document again. If it is as its author made it, report the offset to them.",
)

LIMIT_EXCEEDED = Code(
    "limit-exceeded",
    "the input asks for more than a safety limit allows",
    Severity.ERROR,
    Question.INTACT,
    "Sizes, counts, depths and expansion ratios against fixed limits, while reading.",
    "A decompression bomb or another attempt to exhaust the verifier; very rarely an honest image"
    " of extreme size.",
    "Do not unpack the image with other tools. If it is honest, ask its author for a smaller form.",
)

UNSUPPORTED_ALGORITHM = Code(
    "unsupported-algorithm",
    "an algorithm is not supported",
    Severity.ERROR,
    Question.CHECKED,
    "Whether Assay can compute what the document asks for.",
    "A rare or obsolete algorithm, or a misspelt name.",
    "Ask the publisher for a common algorithm (SHA-256, SHA-512).",
)

INTERNAL_ERROR = Code(
    "internal-error",
    "Assay itself failed",
    Severity.ERROR,
    Question.CHECKED,
    "Nothing: a defect in Assay stopped the check. The image was neither accepted nor cleared.",
    "A bug. Input that reaches it may well be hostile.",
    "Report it with the detail shown, and the input if you can share it.",
)

INPUT_SPOOLED = Code(
    "input-spooled",
    "the input was copied to a temporary file",
    Severity.INFO,
    Question.CHECKED,
    "Whether the format can be checked in a single pass.",
    "The format needs random access, which a pipe, or a server that sends no parts of a file, does"
    " not give.",
    "Give a path instead of a pipe to avoid the copy. TMPDIR says where it is made.",
)

MEASURED_BEFORE = Code(
    "measured-before",
    "some bytes were measured by an earlier run",
    Severity.INFO,
    Question.INTACT,
    "Whether what is asked of a blob in a registry is known from an earlier run on this machine,"
    " which read all of it and found that its digest names it.",
    "The image, or one that shares layers with it, was verified before. A digest names the same"
    " bytes for ever; who vouches for them, and what the rules say, was judged anew.",
    "Nothing needs to be done. --no-cache fetches and measures everything again.",
)
