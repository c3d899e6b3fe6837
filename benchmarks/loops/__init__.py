"""Programs that do one piece of work over and over, in one process that is warm.

Each prints ``rate: NUMBER`` at its end, which is how many of them it does in a second.
"""
