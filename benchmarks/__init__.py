"""Benchmarks that a user can rerun: `python -m benchmarks [NAME] [options]`. Prints ratios, and asserts nothing."""
