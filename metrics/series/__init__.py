"""Samples at rest: writing, reading."""
