"""Checks that a TCP port opens, and if wanted that who is behind it says the right thing."""

import time
from contextlib import closing

from pydantic import Field

from metrics.sample import Sample
from metrics.sources import network_policy
from metrics.sources.base import SourceConfig, SourceKind, checked
from metrics.sources.network_policy import Unreachable

READ_MOST_BYTES = 64 * 1024
READ_BYTES = 4096


class TcpCheckConfig(SourceConfig):
    """Which port, and what to expect of it."""

    host: str = Field(min_length=1, max_length=253, description="Name or address to connect to.")
    port: int = Field(ge=1, le=65535, description="Port to connect to.")
    name: str = Field(default="", max_length=100, description="Value of the label check; else host:port.")
    send: str = Field(
        default="", max_length=1000, title="Text to send", description="The text to send once it is open."
    )
    expect: str = Field(default="", max_length=500, title="Text to expect", description="Text that has to come back.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for the whole check.")

    @property
    def where(self) -> str:
        return f"{self.host} port {self.port}"


class TcpCheck(SourceKind[TcpCheckConfig]):
    """Up or down, and how long opening and answering took."""

    kind = "tcp_check"
    config_class = TcpCheckConfig
    group = "checks"

    def collect(self, config: TcpCheckConfig) -> list[Sample]:
        labels = {"check": config.name or f"{config.host}:{config.port}"}
        began = time.perf_counter()
        problem = _problem(config)
        latency_s = time.perf_counter() - began
        samples = [
            Sample("tcp_up", float(not problem), labels),
            Sample("tcp_latency_seconds", latency_s, labels, unit="seconds"),
        ]
        return checked(samples, problem)


def _problem(config: TcpCheckConfig) -> str:
    """Return what is wrong, in a sentence, or nothing."""
    until = time.monotonic() + config.timeout_s
    try:
        with closing(network_policy.connect(config.host, config.port, config.timeout_s)) as opened:
            if config.send:
                opened.sendall(config.send.encode())
            answer, wanted = bytearray(), config.expect.encode()
            while wanted not in answer:
                opened.settimeout(max(0.001, until - time.monotonic()))
                chunk = opened.recv(READ_BYTES)
                if not chunk or len(answer) > READ_MOST_BYTES or time.monotonic() > until:
                    return f"{config.where} answered without {config.expect[:50]!r}."
                answer += chunk
    except Unreachable as error:
        return str(error)
    except TimeoutError:
        return f"{config.where} did not answer {config.expect[:50]!r} within {config.timeout_s:g} s."
    except OSError as error:
        return f"{config.where} broke off ({error.strerror or error})."
    return ""
