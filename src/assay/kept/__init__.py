"""Facts that are kept from one run to the next: what was measured of bytes that a digest names.

Facts only. A digest names the same bytes for ever, so what was measured of them holds for ever too;
whether anybody is trusted, and what a policy says, is judged anew each time and never kept.
"""
