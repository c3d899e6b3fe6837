"""Public keys and what they confirm, for every signature scheme alike. Nothing here knows who is
trusted, or what a signature means."""
