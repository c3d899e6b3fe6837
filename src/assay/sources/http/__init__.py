"""Reading over HTTP: bounded, resumable, and careful with credentials.

Imported only when an image's name leads to the network: urllib3 and ssl take time to load.
"""
