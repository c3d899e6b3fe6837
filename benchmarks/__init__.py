"""Measures Assay beside its peers; see docs/benchmarks.md."""
