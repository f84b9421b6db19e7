"""What stands in a certificate, as it came over the wire."""

from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509


def days_left(der: bytes) -> float | None:
    """Return the days until the certificate in `der` ends, below 0 after that; None if it can't be read."""
    try:
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    except ValueError:
        return None
    return (ends - datetime.now(UTC)).total_seconds() / 86_400


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
