"""A TLS handshake, made to see the certificates that a port shows."""

import ssl
import time

from metrics.sources import certificates, network_policy, tls
from metrics.sources.network_policy import Unreachable


def shown(host: str, port: int, name: str, until: float) -> tuple[list[bytes], str]:
    """Return the chain of certificates that a port shows to who asks for `name`, and why it can't be trusted.

    The reason is empty if it can; for whom the certificate is does not matter. `until` is in monotonic seconds. Raises
    Unreachable and Forbidden.
    """
    try:
        return _handshake(host, port, name, until, tls.context(True, names=False)), ""
    except ssl.SSLCertVerificationError as problem:
        return untrusted(host, port, name, until), problem.verify_message


def untrusted(host: str, port: int, name: str, until: float) -> list[bytes]:
    """Do what `shown` does for who does not verify, and so is shown certificates whatever is wrong with them."""
    return _handshake(host, port, name, until, tls.context(False, names=False))


def _handshake(host: str, port: int, name: str, until: float, context: ssl.SSLContext) -> list[bytes]:
    where = f"{host} port {port}"
    with network_policy.connect(host, port, max(0.001, until - time.monotonic())) as opened:
        try:
            with context.wrap_socket(opened, server_hostname=name) as secured:
                chain = certificates.chain(secured, context.verify_mode is not ssl.CERT_NONE)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as error:
            raise Unreachable(f"{where} does not speak TLS as we do ({error.reason or error}).") from None
        except (OSError, ValueError) as error:
            reason = "it took too long" if isinstance(error, TimeoutError) else getattr(error, "strerror", "") or error
            raise Unreachable(f"{where} does not speak TLS ({reason}).") from None
    if not chain:
        raise Unreachable(f"{where} shows no certificate.")
    return chain
