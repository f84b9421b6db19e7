"""Tests that break nothing of the system, and so share one: what starts takes longer than most of them."""
