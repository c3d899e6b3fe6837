"""`docker://`: the OCI distribution protocol (distribution-spec 1.1)."""
