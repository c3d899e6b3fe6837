"""Image archives: tar archives, plain or compressed, that hold container images.

`recognise` tells them from all other files; `reading` reads the archive as a file whose members are
slices of it; `layout` reads the OCI layout in it, and `docker` what the Docker engine's
``manifest.json`` describes. Where an archive has both, they have to agree.
"""
