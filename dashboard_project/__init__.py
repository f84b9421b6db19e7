"""Wiring: settings, URLs, the ASGI and Celery applications. No behaviour of the product lives here."""

import gc

# Python's own threshold has a start go over everything imported so far again and again: a fifth of the time it takes.
gc.set_threshold(10_000, 10, 10)

from dashboard_project.celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
