"""Access: the principals that ask for something."""
