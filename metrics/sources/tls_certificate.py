"""How long the certificate of a TLS port is valid, and whether who connects to it would trust it."""

import time

from pydantic import Field

from metrics.sample import Sample
from metrics.sources import certificates, handshake
from metrics.sources.base import SourceConfig, SourceKind, checked
from metrics.sources.certificates import named
from metrics.sources.network_policy import Unreachable


class TlsCertificateConfig(SourceConfig):
    """Where the certificate is."""

    host: str = Field(min_length=1, max_length=253, description="Name or address to connect to.")
    port: int = Field(default=443, ge=1, le=65535, description="Port that speaks TLS from the start.")
    server_name: str = Field(
        default="", max_length=253, description="Name to ask for and that has to be in the certificate; else host."
    )
    name: str = Field(default="", max_length=100, description="Value of the label check; else host:port.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for the whole check.")

    @property
    def where(self) -> str:
        return f"{self.host} port {self.port}"

    @property
    def wanted(self) -> str:
        return self.server_name or self.host


class TlsCertificate(SourceKind[TlsCertificateConfig]):
    """Days left, and whether chain and name are valid."""

    kind = "tls_certificate"
    config_class = TlsCertificateConfig
    group = "checks"

    def collect(self, config: TlsCertificateConfig) -> list[Sample]:
        labels = {"check": config.name or f"{config.host}:{config.port}"}
        until = time.monotonic() + config.timeout_s
        try:
            chain, distrust = handshake.shown(config.host, config.port, config.wanted, until)
        except Unreachable as problem:
            return checked([Sample("tls_up", 0.0, labels)], str(problem))
        is_named, days_left = named(chain[0], config.wanted), certificates.days_left(chain)
        if days_left is None:
            return checked([Sample("tls_up", 0.0, labels)], f"The certificate of {config.where} can't be read.")
        samples = [
            Sample("tls_up", 1.0, labels),
            Sample("tls_certificate_days", days_left, labels, unit="days"),
            Sample("tls_chain_valid", float(not distrust), labels),
            Sample("tls_name_valid", float(is_named), labels),
        ]
        problems = [f"can't be trusted ({distrust})"] if distrust else []
        problems += [] if is_named else [f"is not for {config.wanted}"]
        return checked(samples, f"The certificate of {config.where} {' and '.join(problems)}." if problems else "")
