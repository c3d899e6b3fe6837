"""Makes what the rest of Assay checks: keys, signatures, attestations. Nothing here writes a file
or speaks to a server; it turns keys and measured bytes into bytes."""
