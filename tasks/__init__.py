"""Celery tasks. Each calls one action of `metrics.actions`."""
