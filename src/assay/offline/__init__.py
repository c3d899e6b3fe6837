"""Offline bundles: making one, and using one (ADR 0018). `assay.sources.bundle` has their form."""
