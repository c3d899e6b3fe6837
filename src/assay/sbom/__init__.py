"""SBOMs: readers of every common format, one module each, into one `Inventory`.

Nothing in an SBOM is believed here; comparing it with an image is `assay.contents`' work.
"""
