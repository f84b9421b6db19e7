"""Certificates made on the spot: an authority, and what it signs."""

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, and those behind it that its server sends along."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    behind: tuple[x509.Certificate, ...] = ()

    def write(self, file: Path) -> Path:
        """Write key and certificates into `file`, as a server reads them and as SSL_CERT_FILE takes them."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = [one.public_bytes(serialization.Encoding.PEM) for one in (self.certificate, *self.behind)]
        file.write_bytes(b"".join([private, *chain]))
        return file

    def server(self, folder: Path) -> ssl.SSLContext:
        """Return the context of a server that has this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.write(folder / "server.pem"))
        return context


def make(
    names: Sequence[str],
    *,
    days: float = 20,
    signer: Certificate | None = None,
    authority: bool = False,
    alternatives: Sequence[str] | None = None,
) -> Certificate:
    """Return a certificate for `names`, DNS names and IP addresses; without a `signer`, it is signed by itself.

    The first is its common name, all are its alternative ones unless `alternatives` are given.
    """
    alternative = [_name(name) for name in (names if alternatives is None else alternatives)]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=100))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority or signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((signer.key if signer else key).public_key()),
            critical=False,
        )
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    made = builder.sign(signer.key if signer else key, hashes.SHA256())
    return Certificate(made, key, (signer.certificate, *signer.behind) if signer else ())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
