"""Facts in a certificate, as it came over the wire."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from cryptography import x509

ENCODING_DER = 2
"""The constant for DER in ssl's own certificates."""


def chain(tls: ssl.SSLSocket | ssl.SSLObject, is_verified: bool) -> list[bytes]:
    """Return the certificates of a connection as DER, the server's first; as verified, or else as the server sent them.

    ssl has them in public since Python 3.13, and where it has none at all, there is the server's alone.
    """
    method = "get_verified_chain" if is_verified else "get_unverified_chain"
    of: Any = tls if hasattr(tls, method) else getattr(tls, "_sslobj", None)
    found = getattr(of, method)() if hasattr(of, method) else [tls.getpeercert(binary_form=True)]
    return [one if isinstance(one, bytes) else one.public_bytes(ENCODING_DER) for one in found or () if one]


def days_left(chain: Sequence[bytes]) -> float | None:
    """Return the days until the first certificate of a chain ends, below 0 after that; None if it can't be read.

    A server may send others along, which the first one does not need; those do not count.
    """
    try:
        ends = min(one.not_valid_after_utc for one in _needed([x509.load_der_x509_certificate(der) for der in chain]))
    except ValueError:
        return None
    return (ends - datetime.now(UTC)).total_seconds() / 86_400


def _needed(chain: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    """Yield the first certificate, the one of who signed it, and so on as far as they are there."""
    rest, found = list(chain[1:]), next(iter(chain), None)
    while found is not None:
        yield found
        issuer = found.issuer
        found = next((one for one in rest if one.subject == issuer), None)
        if found is not None:
            rest.remove(found)


def named(der: bytes, host: str) -> bool:
    """Return whether the certificate in `der` is for `host`, by its subject alternative names (RFC 9525, section 6)."""
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return any(_fits(pattern, host) for pattern in names.get_values_for_type(x509.DNSName))


def _fits(pattern: str, host: str) -> bool:
    """Return whether a name of a certificate, whose first part may be `*`, is that of `host`."""
    first, _, rest = pattern.lower().rstrip(".").partition(".")
    host = _ascii(host).lower().rstrip(".")
    if first != "*":
        return f"{first}.{rest}".rstrip(".") == host
    return "." in rest and host.partition(".")[2] == rest


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
