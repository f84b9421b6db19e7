"""What a Python under libfaketime needs: the library does not know how Python sleeps since 3.11."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep  # type: ignore[assignment]
