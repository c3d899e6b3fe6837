"""What manifests of one index say about each other: attestations and other referrers.

BuildKit lists an attestation manifest beside the image that it is about, with two annotations in
the index, for the platform unknown/unknown; newer versions also give it a subject. The reference
is checked as far as the index goes. It vouches for nothing in either direction.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.formats.oci.context import Context
from assay.formats.oci.descriptors import Descriptor
from assay.formats.oci.manifest import Document
from assay.model.codes import oci as codes


def check_references(
    context: Context,
    called_attestation: bool,
    referred: str,
    document: Document,
    siblings: Mapping[str, Descriptor],
) -> None:
    """Check what a document of an index refers to.

    ``called_attestation`` and ``referred`` (a digest, or empty) are the index's own words about
    it; ``siblings`` are the entries of the same index, by digest.
    """
    component, subject = document.component, document.subject
    if called_attestation and not document.attests:
        context.report(
            codes.REFERENCE_MISMATCH,
            component,
            "the index calls it an attestation, and it holds something else than statements",
        )
    if subject is not None:
        _check_subject(context, component, subject, referred, siblings)
    if not (called_attestation or document.attests):
        return
    about = referred or (subject.key if subject is not None else "")
    if not about:
        context.report(
            codes.REFERENCE_DANGLING, component, "an attestation that does not say of what"
        )
    elif about not in siblings:
        context.report(
            codes.REFERENCE_DANGLING,
            component,
            "an attestation about an image that the index does not list",
            expected=about,
        )


def _check_subject(
    context: Context,
    component: str,
    subject: Descriptor,
    referred: str,
    siblings: Mapping[str, Descriptor],
) -> None:
    if referred and referred != subject.key:
        context.report(
            codes.REFERENCE_MISMATCH,
            component,
            "the index and the manifest itself name different images that it is about",
            expected=subject.key,
            actual=referred,
        )
    named = siblings.get(subject.key)
    if named is not None and (named.size, named.media_type) != (subject.size, subject.media_type):
        context.report(
            codes.REFERENCE_MISMATCH,
            component,
            "its subject has another size or media type in the index",
            expected=f"{named.media_type}, {named.size} bytes",
            actual=f"{subject.media_type}, {subject.size} bytes",
        )
