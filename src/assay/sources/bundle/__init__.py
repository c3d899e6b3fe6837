"""Offline bundles: one file with everything that verifying an image takes (ADR 0018).

A bundle is an uncompressed tar archive of one form: ``bundle.json``, which lists everything else,
then an OCI layout whose blobs are named by their digests. It is read in place.
"""
