"""The names of what a user gives for certificates to be judged by, as `Key.scheme`.

Every scheme whose signers have certificates shares these. This module imports nothing, as every
run needs the names.
"""

from __future__ import annotations

AUTHORITY = "ca"
"""An anchor. The material is a tuple of certificates, each of which is trusted."""

INTERMEDIATE = "ca-intermediate"
"""No anchor: a tuple of certificates that may stand between signer and anchor."""

LISTS = "crl"
"""No anchor: a tuple of revocation lists."""

REVOCATION = "revocation"
"""No anchor: an `Online`, who may be asked about revocation."""

TIME_AUTHORITY = "tsa-ca"
"""No anchor of images: a tuple of certificates below which time stamps are believed."""

PURPOSE_DEMAND = "eku"
"""The name in `Key.demands` of the purposes that a signer's certificate has to name: object
identifiers or names of `oids.PURPOSES`, with commas between them."""
