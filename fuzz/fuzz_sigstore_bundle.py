"""Sigstore bundles and trusted roots: any bytes give a value or an AssayError."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.signatures.sigstore.scheme import SCHEME_PLUGIN
from assay.sigstore.bundle import parse_bundle
from assay.sigstore.trusted_root import parse_trusted_root


def one_input(data: bytes) -> None:
    for parse in (
        parse_bundle,
        parse_trusted_root,
        lambda raw: SCHEME_PLUGIN.prepare(raw, "file", "bundle", ""),
        lambda raw: SCHEME_PLUGIN.inline(raw, "file", "bundle"),
    ):
        try:
            parse(data)  # type: ignore[operator]
        except AssayError:
            continue


def seeds() -> list[bytes]:
    return [
        (
            b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":'
            b'{"publicKey":{"hint":"x"},"tlogEntries":[{"logIndex":"1","logId":{"keyId":"AA=="},'
            b'"kindVersion":{"kind":"hashedrekord","version":"0.0.1"},"integratedTime":"1",'
            b'"inclusionProof":{"logIndex":"0","rootHash":"AA==","treeSize":"1","hashes":[],'
            b'"checkpoint":{"envelope":"x"}},"canonicalizedBody":"AA=="}]},"messageSignature":'
            b'{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="},"signature":"AA=="}}'
        ),
        (
            b'{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],'
            b'"certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}'
        ),
    ]
