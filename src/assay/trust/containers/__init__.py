"""Trust as the tools around containers-policy.json(5) have it."""
