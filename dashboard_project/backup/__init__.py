"""Backups: a whole installation in one file, from either database into either."""
