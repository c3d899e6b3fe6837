"""Signatures of kernel modules: CMS without certificates, and the keys built into kernels."""
