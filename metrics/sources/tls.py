"""The authorities to trust: those that certifi lists, and those of this system, or of the file SSL_CERT_FILE."""

import ssl
import threading

import httpx

_mine = threading.local()


def context(verify: bool, names: bool = True) -> ssl.SSLContext:
    """Return a client's context, made once per thread: making one takes longer than most checks.

    One that does not `verify` trusts anybody; one without `names` does not ask for whom the certificate is.
    """
    contexts: dict[tuple[bool, bool], ssl.SSLContext] = _mine.__dict__.setdefault("contexts", {})
    if (verify, names) not in contexts:
        contexts[verify, names] = _make(verify, names)
    return contexts[verify, names]


def forget() -> None:
    """Have this thread read the authorities anew."""
    _mine.__dict__.clear()


def _make(verify: bool, names: bool) -> ssl.SSLContext:
    made = httpx.create_ssl_context(verify=verify, trust_env=False)
    made.check_hostname = verify and names
    made.hostname_checks_common_name = False  # as browsers do, and RFC 9525 says
    if verify:
        made.load_default_certs()
    return made
