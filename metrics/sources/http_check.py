"""Checks that a URL answers. A refusal, a timeout or a bad certificate is a result, not an exception."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Literal

import httpx
from cryptography import x509
from pydantic import Field, field_validator

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources.base import SourceConfig, SourceKind

REDIRECTS_MOST = 10


class HttpCheckConfig(SourceConfig):
    """What to request and what to expect."""

    url: str = Field(max_length=500, description="Address to request; http:// or https://.")
    name: str = Field(
        default="", max_length=100, description="Value of the label check; else the URL without password and query."
    )
    method: Literal["GET", "HEAD"] = Field(default="GET", description="How to request it.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for the whole check.")
    follow_redirects: bool = Field(default=True, description="Whether to follow redirects; else a 3xx is the result.")
    verify: bool = Field(default=True, description="Whether a certificate that can't be trusted is a failure.")

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        try:
            url = httpx.URL(value)
        except httpx.InvalidURL as error:
            raise ValueError(f"url can't be read: {error}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("url must begin with http:// or https:// and name a host")
        return value

    @property
    def label(self) -> str:
        if self.name:
            return self.name
        url = httpx.URL(self.url).copy_with(username=None, password=None, query=None, fragment=None)
        return str(url)[:LABEL_VALUE_MOST]


class HttpCheck(SourceKind[HttpCheckConfig]):
    """Up or down, status, latency, and the days left on the certificate."""

    kind = "http_check"
    config_class = HttpCheckConfig

    def collect(self, config: HttpCheckConfig) -> list[Sample]:
        labels = {"check": config.label}
        began = time.perf_counter()
        status, days_left = asyncio.run(_request(config))
        latency_s = time.perf_counter() - began
        samples = [
            Sample("http_up", float(200 <= status < 400), labels),
            Sample("http_status", float(status), labels),
            Sample("http_latency_seconds", latency_s, labels, unit="seconds"),
        ]
        if days_left is not None:
            samples.append(Sample("http_certificate_days", days_left, labels, unit="days"))
        return samples


async def _request(config: HttpCheckConfig) -> tuple[int, float | None]:
    """Return the status, 0 if there was no answer, and the days left on the certificate, None without one."""
    days_left = None
    try:
        # httpx limits each read; this limits all of them, for a server that sends a byte a second.
        async with (
            asyncio.timeout(config.timeout_s),
            httpx.AsyncClient(
                timeout=config.timeout_s,
                follow_redirects=config.follow_redirects,
                max_redirects=REDIRECTS_MOST,
                verify=config.verify,
                trust_env=False,
            ) as client,
            client.stream(config.method, config.url, headers={"User-Agent": "Watchfloor"}) as response,
        ):
            days_left = _days_left(response)
            async for _ in response.aiter_raw():
                pass
            return response.status_code, days_left
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
        return 0, days_left


def _days_left(response: httpx.Response) -> float | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    if tls is None:
        return None
    # As DER, because the ssl module decodes only certificates that it verified.
    certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400
