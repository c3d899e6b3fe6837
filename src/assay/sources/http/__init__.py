"""Reading over HTTP: bounded, resumable, and careful with credentials.

Imported only when an image's name leads to the network: HTTP and TLS take time to load.
"""
