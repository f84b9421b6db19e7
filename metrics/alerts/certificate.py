"""A certificate that ends soon."""

from pydantic import Field

from metrics.alerts.base import Condition, ConditionConfig


class CertificateConfig(ConditionConfig):
    days: float = Field(default=14, ge=0, le=3650, title="Days left", description="Fewer days left than this are bad.")


class Certificate(Condition[CertificateConfig]):
    """A certificate that ends within so many days: of a check of TLS or of HTTP."""

    kind = "certificate"
    config_class = CertificateConfig
    group = "checks"
    metric = "tls_certificate_days"

    def is_bad(self, config: CertificateConfig, value: float, was_bad: bool) -> bool:
        return value < config.days

    def says(self, config: CertificateConfig) -> str:
        return f"valid for less than {config.days:g} days"

    def lines(self, config: CertificateConfig) -> dict[str, float]:
        return {"days": config.days}
