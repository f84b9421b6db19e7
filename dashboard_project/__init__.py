"""Wiring: settings, URLs, the ASGI and Celery applications. No behaviour of the product lives here."""

import gc

# Python's own threshold has a start go over everything imported so far again and again: a fifth of the time it takes.
gc.set_threshold(10_000, 50, 10)
__version__ = "0.1.0"
