"""Sigstore trusted roots that are kept up to date through TUF (ADR 0017).

An *instance* is one deployment of Sigstore: the address of its TUF repository, and the root that
the user once gave for it, which is where trust starts. What is fetched is kept in a *copy* on this
machine, and verified from that root on every time it is used.
"""
