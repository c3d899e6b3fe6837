"""Attaches signatures and attestations to images, in registries and in OCI layouts."""

from assay.attach.attach import Place, attach, companion_tag, subject_of
from assay.attach.model import Attachment, Layer, Subject

__all__ = ["Attachment", "Layer", "Place", "Subject", "attach", "companion_tag", "subject_of"]
