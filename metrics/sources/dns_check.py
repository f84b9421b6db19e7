"""Checks that a name server answers, and with what is expected. That there is no such name is a result too."""

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver
import dns.reversename
import dns.tokenizer
from pydantic import Field, field_validator

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources import network_policy
from metrics.sources.base import SourceConfig, SourceError, SourceKind, checked
from metrics.sources.network_policy import Unreachable

TRY_S = 3.0
"""After that long the question is asked again: it goes by UDP, which may lose it."""
EXPECTED_MOST = 20


class DnsCheckConfig(SourceConfig):
    """Settings of a DNS check: the query, the server, and the answer to expect."""

    query: str = Field(
        min_length=1,
        max_length=253,
        title="Name to ask for",
        description="Name to ask for, as it is, without search domains.",
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = Field(
        default="A", title="Type of record", description="Type of record to ask for."
    )
    server: str = Field(
        default="",
        max_length=253,
        title="Name server",
        description="Name server to ask, name or address; else those that this system asks.",
    )
    port: int = Field(default=53, ge=1, le=65535, description="Port of that name server.")
    expected: list[str] = Field(
        default_factory=list,
        max_length=EXPECTED_MOST,
        title="Expected answers",
        description="Answers of which each has to be there.",
    )
    name: str = Field(default="", max_length=100, description="Value of the label check; else the type and the name.")
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for the whole check.")

    @field_validator("query")
    @classmethod
    def _name(cls, value: str) -> str:
        try:
            dns.name.from_text(value)
        except (dns.exception.DNSException, UnicodeError) as error:
            raise ValueError(f"{value[:100]!r} is no name: {error}") from None
        return value

    @property
    def label(self) -> str:
        return self.name or f"{self.type} {self.query}"[:LABEL_VALUE_MOST]

    @property
    def where(self) -> str:
        return f"The name server {self.server}" if self.server else "The name server"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: its code (RFC 1035, section 4.1.1), its records in their `_form`, for how long they may be kept."""

    code: int
    records: frozenset[bytes]
    ttl_s: int | None


class DnsCheck(SourceKind[DnsCheckConfig]):
    """Up or down, how long it took, and what came back."""

    kind = "dns_check"
    config_class = DnsCheckConfig
    group = "checks"

    def collect(self, config: DnsCheckConfig) -> list[Sample]:
        labels = {"check": config.label}
        began = time.perf_counter()
        try:
            found, problem = _ask(config), ""
        except Unreachable as error:
            found, problem = None, str(error)
        latency_s = time.perf_counter() - began
        problem = problem or (_difference(config, found) if found else "")
        samples = [
            Sample("dns_up", float(not problem), labels),
            Sample("dns_latency_seconds", latency_s, labels, unit="seconds"),
        ]
        if found:
            samples.append(Sample("dns_code", float(found.code), labels))
            samples.append(Sample("dns_answers", float(len(found.records)), labels))
        if found and found.ttl_s is not None:
            samples.append(Sample("dns_ttl_seconds", float(found.ttl_s), labels, unit="seconds"))
        return checked(samples, problem)


def _difference(config: DnsCheckConfig, found: Found) -> str:
    """Return in which way the answer is not the expected one, in a sentence, or nothing."""
    if found.code != dns.rcode.NOERROR:
        return f"{config.where} answered {dns.rcode.to_text(dns.rcode.Rcode.make(found.code))}."
    if not found.records:
        return f"{config.where} knows no {config.type} of {config.query}."
    missing = [one for one in config.expected if found.records.isdisjoint(_meant(one, config.type))]
    return f"{config.where} answered without {', '.join(missing)}." if missing else ""


def _meant(expected: str, type: str) -> set[bytes]:
    """Return the forms of records that `expected` stands for: as zone files have them, whose names need no dot here.

    So one address, name or text has one form, however it was typed. A text is also meant as it is, quotes included. A
    text that is no such record stands for none.
    """
    found = {expected.encode()} if type == "TXT" else set()
    with suppress(dns.exception.DNSException, UnicodeError, ValueError):
        if type != "TXT":
            found.add(_form(dns.rdata.from_text("IN", type, expected, origin=dns.name.root, relativize=False)))
        elif expected.startswith('"'):
            found.add(_unquoted(expected))
    return found


def _unquoted(text: str) -> bytes:
    """Return what the quoted strings in `text` hold; unlike in a zone file, one may be longer than 255 bytes."""
    return b"".join(token.unescape_to_bytes().value for token in dns.tokenizer.Tokenizer(text).get_remaining())


def _form(record: dns.rdata.Rdata) -> bytes:
    """Return `record` in the form that is compared: of a text what it says, whatever the pieces that it travels in."""
    if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(record.strings)
    return record.to_digestable()


def _ask(config: DnsCheckConfig) -> Found:
    """Return the first answer of any of the servers. Raises Unreachable if there is none, and Forbidden."""
    until = time.monotonic() + config.timeout_s
    question = dns.message.make_query(_asked(config), config.type)
    waiting, problem = deque(_servers(config)), "is none"
    while waiting and (left_s := until - time.monotonic()) > 0:
        server, port = waiting.popleft()
        try:
            answer, _ = dns.query.udp_with_fallback(
                question, server, min(TRY_S, left_s), port, ignore_unexpected=True, ignore_errors=True
            )
            return _found(answer, config.type)
        except dns.exception.Timeout:
            problem = f"did not answer within {config.timeout_s:g} s"
            waiting.append((server, port))
        except (dns.exception.DNSException, OSError, EOFError) as error:  # and would be the same the next time
            problem = f"can't be asked ({getattr(error, 'strerror', '') or error})"
    raise Unreachable(f"{config.where} {problem}.")


def _asked(config: DnsCheckConfig) -> dns.name.Name:
    """Return the name to ask for; that of an address, if it is whose name that is."""
    try:
        return dns.reversename.from_address(config.query) if config.type == "PTR" else dns.name.from_text(config.query)
    except dns.exception.SyntaxError:
        return dns.name.from_text(config.query)


def _servers(config: DnsCheckConfig) -> list[tuple[str, int]]:
    if config.server:
        return [(address, config.port) for address in network_policy.resolve(config.server, config.timeout_s)]
    try:
        system = dns.resolver.Resolver()
    except dns.exception.DNSException as error:
        raise SourceError(f"The name servers of this system can't be found out ({error}).") from None
    return [(str(server), system.port) for server in system.nameservers]


def _found(answer: dns.message.Message, type: str) -> Found:
    wanted = dns.rdatatype.from_text(type)
    sets = [one for one in answer.answer if one.rdtype == wanted]
    records = frozenset(_form(record) for one in sets for record in one)
    return Found(int(answer.rcode()), records, min((one.ttl for one in sets), default=None))
