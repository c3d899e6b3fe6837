"""dm-verity: a hash tree whose root stands for every block of a device.

The superblock is the one of cryptsetup (version 1), the tree that of the kernel's documentation
(admin-guide/device-mapper/verity). Nothing in either is signed: it is the root hash, which the user
has from elsewhere, that makes them count.
"""
