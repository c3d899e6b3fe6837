"""Linux kernels, their modules and initial RAM disks: values and total parsers. Nothing here
decides whom to trust."""
