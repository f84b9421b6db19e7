"""DNS checks against a real name server, dnsmasq."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import dns.rdata
import dns.rdatatype
import pytest
from dns.rdataclass import IN
from dns.rdtypes.ANY.TXT import TXT
from pydantic import ValidationError

from metrics.sample import check
from metrics.sources import dns_check
from metrics.sources.base import Noted
from metrics.sources.dns_check import DnsCheck, DnsCheckConfig
from metrics.sources.network_policy import Forbidden, limited
from tests.debian import installed
from tests.integration.stack import free_port
from tests.prometheus import running, wait_until_open
from tests.sources.names import lead

DKIM = f"v=DKIM1; k=rsa; p={'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A' * 12}"
RECORDS = [
    "--host-record=shop.example,192.0.2.1,2001:db8::1,600",
    "--host-record=shop.example,192.0.2.2",
    "--host-record=only4.example,192.0.2.3",
    "--cname=www.shop.example,shop.example",
    "--mx-host=shop.example,mail.shop.example,10",
    "--txt-record=shop.example,v=spf1 -all,second piece",
    "--srv-host=_ldap._tcp.shop.example,shop.example,389,5,6",
    "--ptr-record=1.2.0.192.in-addr.arpa,shop.example",
    f"--txt-record=dkim.example,{DKIM[:200]},{DKIM[200:400]},{DKIM[400:]}",
    "--txt-record=long.example," + ",".join(["x" * 200] * 20),
    "--local=/example/",
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A name server that knows the domain example."""
    number, folder = free_port(), tmp_path_factory.mktemp("dnsmasq")
    command = [installed("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv"]
    command += ["--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={number}", "--user=root"]
    with running([*command, f"--pid-file={folder / 'pid'}", *RECORDS], folder / "log"):
        wait_until_open(number, folder / "log")
        yield number


def collect(port: int, query: str, type: str = "A", **fields: Any) -> tuple[dict[str, float], str]:
    """Run one check; return its values by metric and its note, having checked that they would be accepted."""
    config = DnsCheckConfig(
        **{"query": query, "type": type, "server": "127.0.0.1", "port": port, "timeout_s": 5, **fields}
    )
    found = DnsCheck().collect(config)
    check(found, time.time())
    assert isinstance(found, Noted)
    assert {one.labels["check"] for one in found} == {config.name or f"{type} {query}"}
    assert bool(found[0].value) is not bool(found.note)
    return {one.metric: one.value for one in found}, found.note


def test_an_answer_is_told(port: int) -> None:
    found, note = collect(port, "only4.example")
    assert 0 < found.pop("dns_latency_seconds") < 5
    assert (found, note) == ({"dns_up": 1, "dns_code": 0, "dns_answers": 1, "dns_ttl_seconds": 0}, "")


@pytest.mark.parametrize(
    ("query", "type", "expected"),
    [
        ("shop.example", "A", ["192.0.2.2", "192.0.2.1"]),
        ("www.shop.example", "A", ["192.0.2.1"]),
        ("www.shop.example", "CNAME", ["SHOP.example"]),
        ("shop.example", "AAAA", ["2001:db8::1"]),
        ("shop.example", "MX", ["10 mail.shop.example"]),
        ("shop.example", "TXT", ["v=spf1 -allsecond piece"]),
        ("dkim.example", "TXT", [f'"{DKIM}"']),
        ("_ldap._tcp.shop.example", "SRV", ["5 6 389 shop.example."]),
        ("1.2.0.192.in-addr.arpa", "PTR", ["shop.example"]),
        ("192.0.2.1", "PTR", ["shop.example"]),
    ],
)
def test_what_is_expected_is_there(port: int, query: str, type: str, expected: list[str]) -> None:
    assert collect(port, query, type, expected=expected)[1] == ""


@pytest.mark.parametrize(
    ("type", "record", "expected", "same"),
    [
        ("AAAA", "2001:db8::1", "2001:0DB8:0:0:0:0:0:1", True),
        ("AAAA", "::ffff:192.0.2.1", "::FFFF:C000:201", True),
        ("AAAA", "2001:db8::1", "2001:db8::2", False),
        ("A", "192.0.2.1", " 192.0.2.1 ", True),
        ("MX", "10 mail.shop.example.", "10  Mail.Shop.Example", True),
        ("CNAME", "shop.example.", "SHOP.example", True),
        ("CNAME", "caf\\195\\169.example.", "caf\\195\\169.Example", True),
        ("CAA", '0 issue "ca.example"', "0 issue ca.example", True),
        ("SOA", "ns.x. root.x. 1 2 3 4 5", "NS.x ROOT.x 1 2 3 4 5", True),
        ("TXT", "v=spf1 -all", '"v=spf1 " "-all"', True),
        ("TXT", "v=spf1 -all", "v=spf1 -all", True),
        ("TXT", "v=spf1 -all", "V=spf1 -all", False),
        ("TXT", 'a "b" c', 'a "b" c', True),
        ("TXT", "a;b", '"a;b"', True),
        ("TXT", '"hello"', r'"\"hello\""', True),
        ("TXT", '"hello"', '"hello"', True),
        ("TXT", '"hello"', "hello", False),
        ("TXT", '"open', '"open', True),
        ("TXT", "Grüezi", r'"Gr\195\188ezi"', True),
        ("TXT", DKIM, f'"{DKIM}"', True),
        ("TXT", DKIM, DKIM, True),
        ("TXT", DKIM, f'"{DKIM[:200]}" "{DKIM[200:]}"', True),
        ("TXT", DKIM, f'"{DKIM.lower()}"', False),
        ("AAAA", "2001:db8::1", "no address", False),
    ],
)
def test_records_are_compared_as_zone_files_have_them(type: str, record: str, expected: str, same: bool) -> None:
    if type == "TXT":
        text, pieces = record.encode(), range(0, len(record), 255)
        data: dns.rdata.Rdata = TXT(IN, dns.rdatatype.TXT, [text[at : at + 255] for at in pieces])
    else:
        data = dns.rdata.from_text("IN", type, record)
    assert (dns_check._form(data) in dns_check._meant(expected, type)) is same


def test_what_is_expected_and_not_there_is_down(port: int) -> None:
    found, note = collect(port, "shop.example", expected=["192.0.2.1", "192.0.2.9", "192.0.2.8"])
    assert (found["dns_up"], found["dns_answers"]) == (0, 2)
    assert note == "The name server 127.0.0.1 answered without 192.0.2.9, 192.0.2.8."


def test_no_such_name_is_down_and_has_its_code(port: int) -> None:
    found, note = collect(port, "nobody.example")
    assert (found["dns_up"], found["dns_code"], found["dns_answers"]) == (0, 3, 0)
    assert note == "The name server 127.0.0.1 answered NXDOMAIN."


def test_no_such_record_is_down(port: int) -> None:
    found, note = collect(port, "only4.example", "AAAA")
    assert (found["dns_up"], found["dns_code"], found["dns_answers"]) == (0, 0, 0)
    assert note == "The name server 127.0.0.1 knows no AAAA of only4.example."


def test_a_refusal_is_down(port: int) -> None:
    assert collect(port, "elsewhere.org")[1] == "The name server 127.0.0.1 answered REFUSED."


def test_an_answer_too_long_for_udp_is_asked_for_again(port: int) -> None:
    assert collect(port, "long.example", "TXT")[0]["dns_answers"] == 1


def test_nobody_there_is_down_in_the_time_that_was_allowed() -> None:
    began = time.monotonic()
    found, note = collect(free_port(), "shop.example", timeout_s=0.4)
    assert set(found) == {"dns_up", "dns_latency_seconds"}
    assert note == "The name server 127.0.0.1 did not answer within 0.4 s."
    assert time.monotonic() - began < 3


def test_a_question_that_was_lost_is_asked_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first goes to a port that swallows it."""
    monkeypatch.setattr(dns_check, "TRY_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        servers = [("127.0.0.1", silent.getsockname()[1]), ("127.0.0.1", port)]
        monkeypatch.setattr(dns_check, "_servers", lambda _: servers)
        assert collect(port, "shop.example")[1] == ""


def test_without_a_server_the_system_s_are_asked() -> None:
    config = DnsCheckConfig(query="localhost", timeout_s=2)
    found = DnsCheck().collect(config)
    assert found[0].metric == "dns_up"


def test_a_server_s_name_is_looked_up(port: int) -> None:
    assert collect(port, "only4.example", server="localhost")[0]["dns_up"] == 1


def test_a_server_that_nobody_has_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch)
    note = collect(53, "shop.example", server="nobody.test")[1]
    assert note == "The name nobody.test can't be looked up (Name or service not known)."


def test_where_the_source_may_not_connect_to_is_an_error(port: int) -> None:
    with limited(), pytest.raises(Forbidden):
        collect(port, "shop.example")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"query": ""},
        {"query": "a..b"},
        {"query": "x" * 64 + ".example"},
        {"query": "x", "type": "ANY"},
        {"query": "x", "port": 0},
        {"query": "x", "expected": ["x"] * 21},
    ],
)
def test_a_bad_config_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DnsCheckConfig(**fields)
