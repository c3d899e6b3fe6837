"""Codes about writing signatures and attestations beside an image."""

from __future__ import annotations

from assay.model.finding import Code, Question, Severity

WRITE_DENIED = Code(
    "write-denied",
    "the registry does not let you write",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the registry accepts a push to this repository, with the credentials found for it"
    " (401, 403).",
    "You are not logged in, the account may only read, or its quota is used up. Some registries"
    " answer like this for a repository that does not exist.",
    "Log in with your usual tool as an account that may push to this repository, or name a file of"
    " credentials with --auth-file. Nothing was attached.",
)

REGISTRY_READ_ONLY = Code(
    "registry-read-only",
    "the registry takes no changes",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the registry knows the requests that write (405 says that it does not).",
    "A mirror or a cache of another registry, or one that is being maintained.",
    "Write to the registry that this one is a copy of, or wait until the maintenance is over."
    " Nothing was attached.",
)

UPLOAD_REFUSED = Code(
    "upload-refused",
    "the registry refuses what is written",
    Severity.ERROR,
    Question.CHECKED,
    "The status of the registry's answer to a blob or a manifest.",
    "The registry does not know this type of manifest, has a limit on sizes, wants a repository to"
    " be made before it is written to, or does not let a tag be moved.",
    "Look up the error code in the detail in the registry's documentation. Where its tags cannot be"
    " changed, ask its operator to except those that begin with sha256-.",
)

UPLOAD_ALTERED = Code(
    "upload-altered",
    "the registry stored something else than was sent",
    Severity.ERROR,
    Question.CHECKED,
    "The digest that the registry answers with, and what it gives back, against what was sent.",
    "A proxy that rewrites what passes, a registry that converts manifests, or damaged storage.",
    "Tell the registry's operator. What was written is not to be relied on.",
)

WRITE_CONFLICT = Code(
    "write-conflict",
    "someone else changes the same list again and again",
    Severity.ERROR,
    Question.CHECKED,
    "Whether the list of signatures still holds what was added to it, read again after writing.",
    "Many signers attach to one image at the same moment. What the others wrote was kept.",
    "Run the command again, or let the signers take turns.",
)

SIGNATURE_TAG_OCCUPIED = Code(
    "signature-tag-occupied",
    "what stands where signatures are listed is no such list",
    Severity.ERROR,
    Question.CHECKED,
    "The manifest under the tag that is made from the image's digest, before it is added to.",
    "Another program keeps something else under that tag, or someone put it there to keep"
    " signatures away. It was left as it is.",
    "Find out what it is (assay inspect) and who may push there. Remove the tag if nobody needs"
    " it.",
)

UNWRITABLE = Code(
    "unwritable",
    "a file could not be written",
    Severity.ERROR,
    Question.CHECKED,
    "Whether every file could be written, and the list of images replaced in one step.",
    "A full disk, a missing permission, or a link where a file or directory has to be. The list of"
    " images is as it was.",
    "Mend the cause named in the detail and run the command again.",
)
