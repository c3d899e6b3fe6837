"""Codes about container images."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

DESCRIPTOR_MALFORMED = Code(
    "descriptor-malformed",
    "a descriptor does not follow the OCI specification",
    Severity.ERROR,
    Question.INTACT,
    "Media type, digest and size of each descriptor (image-spec, descriptor.md).",
    "A defect in the tool that made the image, damage, or an attempt to make tools disagree.",
    "Rebuild the image with a current tool; report it to the publisher.",
)

MEDIA_TYPE_MISMATCH = Code(
    "media-type-mismatch",
    "a document says another media type of itself than its descriptor does",
    Severity.ERROR,
    Question.INTACT,
    "The mediaType in a manifest or index against the descriptor (and the registry's header) that"
    " led to it.",
    "An attempt to have one blob read in two ways (type confusion), or a defective tool.",
    "Do not use the image until the publisher explains it.",
)

AMBIGUOUS_MANIFEST = Code(
    "ambiguous-manifest",
    "a document can be read both as an image manifest and as an index",
    Severity.ERROR,
    Question.INTACT,
    "Whether a document has both layers (or config) and manifests (CVE-2021-41190).",
    "A document made so that two tools see two different images under one digest.",
    "Do not use the image.",
)

AMBIGUOUS_KEY = Code(
    "ambiguous-key",
    "a document has a key that some programs take for another",
    Severity.ERROR,
    Question.INTACT,
    "Whether a key differs from one that the specification defines only in upper and lower case.",
    "Go's JSON decoder, in most container tools, does not tell 'Layers' from 'layers'; others do."
    " A document with such a key shows two different images under one digest.",
    "Do not use the image; report it to the publisher.",
)

CONFIG_TYPE_MISMATCH = Code(
    "config-type-mismatch",
    "manifest and configuration belong to different specifications",
    Severity.WARNING,
    Question.INTACT,
    "The configuration's media type against the manifest's: OCI with OCI, Docker with Docker.",
    "An image that was converted by half. Tools differ in whether they run it.",
    "Have the image converted again with a current tool.",
)

ARTIFACT_TYPE_MISSING = Code(
    "artifact-type-missing",
    "an artifact does not say what it is",
    Severity.WARNING,
    Question.INTACT,
    "Whether a manifest with the empty configuration has an artifactType (image-spec,"
    " manifest.md).",
    "A defect in the tool that made the artifact.",
    "Report it to the publisher; consumers cannot tell what the artifact is for.",
)

SCHEMA_1 = Code(
    "docker-schema-1",
    "the image has a manifest of the withdrawn schema 1",
    Severity.ERROR,
    Question.ALLOWED,
    "The version of the manifest's schema.",
    "A very old image. Its manifest names layers by their compressed bytes only, repeats parts of"
    " the configuration that nothing ties to them, and current runtimes do not run it.",
    "Ask the publisher for a current image, or have it converted and sign the result.",
)

REFERENCE_MISMATCH = Code(
    "reference-mismatch",
    "a manifest is not about what its index says it is about",
    Severity.ERROR,
    Question.INTACT,
    "An entry that the index calls an attestation against the manifest's own layers; the image that"
    " the index says it is about, and its size and type, against the manifest's subject.",
    "An attempt to have an image skipped by tools that pass over attestations, or to put one"
    " image's provenance beside another.",
    "Do not rely on the attestation, nor on the index, until the publisher explains it.",
)

REFERENCE_DANGLING = Code(
    "reference-dangling",
    "an attestation is about an image that is not there",
    Severity.WARNING,
    Question.INTACT,
    "Whether the image that an attestation refers to is listed in the same index.",
    "An index that was reduced to some platforms without its attestations.",
    "Copy the index in full, or leave the attestations of other platforms out too.",
)

AMBIGUOUS_PLATFORM = Code(
    "ambiguous-platform",
    "the index has several images for one platform",
    Severity.INFO,
    Question.INTACT,
    "Whether platforms (with version and features) occur once in an index.",
    "One image in several forms, such as gzip and zstd; which one runs depends on the runtime.",
    "Make sure that all of them are what you want: Assay checks every one.",
)

ENCRYPTED_LAYER = Code(
    "encrypted-layer",
    "a layer is encrypted, so its content could not be checked",
    Severity.WARNING,
    Question.CHECKED,
    "The layer's media type. The encrypted bytes are checked against the manifest.",
    "An image for holders of a key. What is inside shows only after decryption.",
    "Check the decrypted image where the key is.",
)

EMBEDDED_DATA_MISMATCH = Code(
    "embedded-data-mismatch",
    "a descriptor's data field is not the content that its digest names",
    Severity.ERROR,
    Question.INTACT,
    "The decoded data field against the digest and size of the same descriptor.",
    "A client that trusts the data field would run other content than one that fetches the blob.",
    "Do not use the image; report it to the publisher.",
)

PLATFORM_MISMATCH = Code(
    "platform-mismatch",
    "the index promises another platform than the image's configuration states",
    Severity.ERROR,
    Question.INTACT,
    "The platform in the index entry against os, architecture, variant, os.version and os.features"
    " in the configuration, as far as both state them.",
    "A build script that mixed up images, or one platform's image offered under another's name.",
    "Rebuild the index, or report it to the publisher.",
)

LAYER_COUNT_MISMATCH = Code(
    "layer-count-mismatch",
    "manifest, configuration and history disagree on the number of layers",
    Severity.ERROR,
    Question.INTACT,
    "The number of layers in the manifest, of diff_ids in the configuration, and of history"
    " entries that are not empty.",
    "A layer was added or left out without the configuration being rebuilt.",
    "Rebuild the image with a current tool; do not use it if the publisher cannot explain it.",
)

HISTORY_MISMATCH = Code(
    "history-mismatch",
    "the history in the configuration does not match the number of layers",
    Severity.WARNING,
    Question.INTACT,
    "The number of history entries that are not empty against the number of layers.",
    "Many build tools write an incomplete history; it does not affect what runs.",
    "Nothing, unless the history matters to you.",
)

FOREIGN_LAYER = Code(
    "foreign-layer",
    "a layer is kept outside of the registry and was not checked",
    Severity.ERROR,
    Question.CHECKED,
    "Whether each layer can be read from where the image is.",
    "Non-distributable layers (old Windows base images) are fetched from other addresses.",
    "Copy the image with its foreign layers included, and check the copy.",
)

UNKNOWN_LAYER_TYPE = Code(
    "unknown-layer-type",
    "a layer's media type is not known, so its content was not looked at",
    Severity.WARNING,
    Question.CHECKED,
    "The layer's media type against those of the OCI and Docker specifications.",
    "A new or private kind of layer in a container image.",
    "Its digest was checked. Decide by policy whether such artifacts may be used.",
)

NO_SUCH_PLATFORM = Code(
    "no-such-platform",
    "the image does not exist for the platform asked for",
    Severity.ERROR,
    Question.CHECKED,
    "The platforms in the index against --platform.",
    "A misspelt platform, or one that the publisher does not build.",
    "Name one of the platforms shown.",
)

NOT_CONFIGURED_COMPRESSION = Code(
    "layer-compression-mismatch",
    "a layer's bytes are not compressed as its media type says",
    Severity.WARNING,
    Question.INTACT,
    "The first bytes of the layer against its media type.",
    "Some builders label plain layers as gzip. Tools that sniff and tools that believe the label"
    " read different things.",
    "Rebuild the image with correct media types.",
)
