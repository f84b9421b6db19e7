"""Whom to trust: the authorities that certifi lists, and those of this system, or of the file SSL_CERT_FILE."""

import ssl
import threading

import httpx

_mine = threading.local()


def context(verify: bool) -> ssl.SSLContext:
    """Return a client's context, made once per thread: making one takes longer than most checks."""
    contexts: dict[bool, ssl.SSLContext] = _mine.__dict__.setdefault("contexts", {})
    if verify not in contexts:
        contexts[verify] = _make(verify)
    return contexts[verify]


def forget() -> None:
    """Have this thread read the authorities anew."""
    _mine.__dict__.clear()


def _make(verify: bool) -> ssl.SSLContext:
    made = httpx.create_ssl_context(verify=verify, trust_env=False)
    if verify:
        made.load_default_certs()
    return made
