"""Would an image boot, and what would that measure? Answered from files, without a machine."""
