"""QR codes of addresses of ours, for phones that look at a wall."""

from functools import lru_cache

import segno
from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe


def root(request: HttpRequest) -> str:
    """Return where people reach this installation, without a slash at the end."""
    return settings.PUBLIC_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")


@lru_cache(64)
def code(address: str) -> SafeString:
    """Return a QR code of `address` as SVG; it is dark on white, whatever the theme, for cameras."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, border=2, dark="#000", light="#fff", title=address
    )
    return mark_safe(drawn)  # noqa: S308  # segno escapes the title, and all else are numbers
