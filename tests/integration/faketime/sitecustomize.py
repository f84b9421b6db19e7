"""Sleeping for a Python under libfaketime: the library does not know how Python sleeps since 3.11."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep  # type: ignore[assignment]
