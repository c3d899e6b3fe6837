"""Policies at work beside verifying: tests of them, what they say of recorded verdicts, and what a
ledger knows that they ask for."""
