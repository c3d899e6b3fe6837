"""Run with ``python -m assay``."""

from assay.cli.start import main

main()
