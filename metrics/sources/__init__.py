"""Collectors, one file a kind: config in, samples out. They know no tables and publish nothing."""
