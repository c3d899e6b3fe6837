"""The policy: what an organisation trusts and what it requires, written down once."""
