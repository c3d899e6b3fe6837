"""Linux: kernel modules, trees of them, kernels, and initial RAM disks."""
