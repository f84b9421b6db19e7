"""Checks that a URL answers as it should. A refusal, a timeout or a bad certificate is a result, not an exception."""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass
from typing import Any, Literal, Self

import httpcore
import httpx
from pydantic import Field, field_validator, model_validator

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources import certificates, expect, fetch, handshake, jmespath_values, network_policy
from metrics.sources.base import SourceKind, checked
from metrics.sources.http_config import HttpConfig
from metrics.sources.phases import Phases

MATCHED_MOST_BYTES = 1024 * 1024
READ_MOST_BYTES = 16 * 1024 * 1024
CHARSET = re.compile(r"utf-?8|us-ascii|iso-8859-\d+|windows-125\d", re.IGNORECASE)


class HttpCheckConfig(HttpConfig):
    """Settings of an HTTP check: the request, and the answer to expect."""

    name: str = Field(default="", max_length=100, description="Value of the label check; else the URL without query.")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        default="GET", description="How to request it."
    )
    body: str = Field(default="", max_length=10_000, description="The body to send.")
    follow_redirects: bool = Field(default=True, description="Whether to follow redirects; else a 3xx is the result.")
    expected_status: str = Field(
        default="2xx, 3xx",
        max_length=200,
        description="Statuses that are right: 200, 3xx, 500-503, and several of them.",
    )
    expected_text: str = Field(default="", max_length=500, description="Text that the answer's body has in it.")
    expected_pattern: str = Field(
        default="", max_length=500, description="Regular expression that fits somewhere in the body."
    )
    expected_json: str = Field(
        default="", max_length=500, description="JMESPath expression that is true of the body, which is JSON."
    )

    @field_validator("expected_status")
    @classmethod
    def _statuses(cls, value: str) -> str:
        expect.statuses(value)
        return value

    @field_validator("expected_pattern")
    @classmethod
    def _pattern(cls, value: str) -> str:
        expect.compile(value)
        return value

    @field_validator("expected_json")
    @classmethod
    def _expression(cls, value: str) -> str:
        if value:
            jmespath_values.compile(value)
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.body and self.method in ("GET", "HEAD"):
            raise ValueError(f"body can't be sent with {self.method}")
        if self.matches and self.method == "HEAD":
            raise ValueError("an answer to HEAD has no body to expect anything of")
        return self

    @property
    def matches(self) -> bool:
        return bool(self.expected_text or self.expected_pattern or self.expected_json)

    @property
    def label(self) -> str:
        return self.name or self.where[:LABEL_VALUE_MOST]


@dataclass(slots=True)
class Found:
    """Outcome of a request: `status` 0 and a `problem`, a sentence, if there was no answer.

    `distrusted` is the address whose certificate can't be trusted, if that is the problem.
    """

    status: int = 0
    problem: str = ""
    days_left: float | None = None
    distrusted: httpx.URL | None = None


class HttpCheck(SourceKind[HttpCheckConfig]):
    """Up or down, status, latency and where it went, and the days left on the certificate."""

    kind = "http_check"
    config_class = HttpCheckConfig
    group = "checks"

    def collect(self, config: HttpCheckConfig) -> list[Sample]:
        labels, phases = {"check": config.label}, Phases()
        began = time.perf_counter()
        found = asyncio.run(_request(config, phases))
        latency_s = time.perf_counter() - began
        if found.distrusted:
            found.days_left = _days_shown(found.distrusted, time.monotonic() + config.timeout_s - latency_s)
        samples = [
            Sample("http_up", float(not found.problem), labels),
            Sample("http_status", float(found.status), labels),
            Sample("http_latency_seconds", latency_s, labels, unit="seconds"),
        ]
        for phase, seconds in phases.seconds().items():
            samples.append(Sample("http_phase_seconds", seconds, {**labels, "phase": phase}, unit="seconds"))
        if found.days_left is not None:
            samples.append(Sample("http_certificate_days", found.days_left, labels, unit="days"))
        return checked(samples, found.problem)


async def _request(config: HttpCheckConfig, phases: Phases) -> Found:
    found = Found()

    async def trace(event: str, info: dict[str, Any]) -> None:
        await phases(event, info)
        if event == "connection.connect_tcp.started":  # whoever is there may be another
            found.days_left = None
        elif event == "connection.start_tls.complete":  # a server that then says nothing has shown it all the same
            found.days_left = _days_left(info["return_value"])

    async def work(client: httpx.AsyncClient) -> None:
        response = await fetch.send(
            client,
            config,
            config.url,
            method=config.method,
            content=config.body.encode() or None,
            extensions={"trace": trace},
            follow=config.follow_redirects,
        )
        try:
            found.days_left = _days_left(response.extensions.get("network_stream"))
            found.status = response.status_code
            await _compare(response, config)
        finally:
            await response.aclose()

    try:
        await fetch.bounded(config, work, phases.looked_up)
    except expect.NotExpected as problem:
        found.problem = f"{config.where} {problem}."
    except network_policy.Unreachable as problem:
        found.status, found.problem = 0, str(problem)
    except fetch.ERRORS as error:
        found.status, found.problem = 0, f"{config.where} {fetch.reason(error, config.timeout_s)}."
        found.distrusted = fetch.distrusted(error)
    return found


async def _compare(response: httpx.Response, config: HttpCheckConfig) -> None:
    """Read the answer, and raise NotExpected if it is another one than the config says."""
    if not config.matches:
        await _skip(response)
    expect.status(response.status_code, config.expected_status)
    if config.matches:
        expect.body(await _text(response), config.expected_text, config.expected_pattern, config.expected_json)


async def _text(response: httpx.Response) -> str:
    try:
        body = await fetch.read(response, MATCHED_MOST_BYTES)
    except ValueError as problem:
        raise expect.NotExpected(f"answered something that {problem}") from None
    charset = response.charset_encoding or ""
    return body.decode(charset if CHARSET.fullmatch(charset) else "utf-8", errors="replace")


async def _skip(response: httpx.Response) -> None:
    """Read the body to its end, because it is a part of the answer and of the time; but not if it has no end."""
    length = 0
    async for chunk in response.aiter_raw():
        length += len(chunk)
        if length > READ_MOST_BYTES:
            return


def _days_left(stream: httpcore.AsyncNetworkStream | None) -> float | None:
    tls = stream.get_extra_info("ssl_object") if stream else None
    if tls is None:
        return None
    return certificates.days_left(certificates.chain(tls, tls.context.verify_mode is not ssl.CERT_NONE))


def _days_shown(url: httpx.URL, until: float) -> float | None:
    """Return the days left of a certificate that can't be trusted: how long ago it ended is what there is to know."""
    try:
        return certificates.days_left(handshake.untrusted(url.host, url.port or 443, url.host, until))
    except (network_policy.Unreachable, ssl.SSLError):
        return None
