"""HTTP checks against a real server: every failure is a result, within the time that was allowed."""

import gzip
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from metrics.sample import Sample, check
from metrics.sources.base import Noted
from metrics.sources.http_check import HttpCheck, HttpCheckConfig
from metrics.sources.network_policy import Forbidden, limited
from tests.sources.certificates import make
from tests.sources.names import lead
from tests.sources.web import Handler, answering, echo, serving

DAYS = 20


class ByPath(Handler):
    """Answers by path; what waits ends when the test does."""

    def do_GET(self) -> None:
        getattr(self, f"_{self.path.strip('/').split('?')[0].replace('/', '_')}")()

    do_HEAD = do_GET

    def _ok(self) -> None:
        self.answer(200, b"fine")

    def _broken(self) -> None:
        self.answer(500)

    def _gone(self) -> None:
        self.answer(410)

    def _empty(self) -> None:
        self.answer(204)

    def _moved(self) -> None:
        self.answer(302, Location="/ok")

    def _loop(self) -> None:
        self.answer(302, Location="/loop")

    def _away(self) -> None:
        self.answer(302, Location="http://127.0.0.1:1/")

    def _strange(self) -> None:
        self.answer(302, Location="gopher://x/")

    def _agent(self) -> None:
        self.answer(200 if self.headers["User-Agent"] == "Watchfloor" else 400)

    def _method(self) -> None:
        self.answer(200 if self.command == "HEAD" else 405)

    def _slow(self) -> None:
        self.over.wait(20)
        self.close_connection = True

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\xff not HTTP \r\n\r\n")
        self.close_connection = True

    def _short(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.")
        self.close_connection = True

    def _unzippable(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        self._drip(b"1\r\nx\r\n")

    def _trickling_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._drip(b"X-More: yes\r\n")

    def _drip(self, drop: bytes) -> None:
        self.close_connection = True
        until = time.monotonic() + 4
        try:
            while time.monotonic() < until and not self.over.wait(0.05):
                self.wfile.write(drop)
        except OSError:
            pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(ByPath) as base:
        yield base


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, that ends in `DAYS` days; with its key."""
    return make(["127.0.0.1"], days=DAYS).write(tmp_path_factory.mktemp("tls") / "self-made.pem")


@pytest.fixture(scope="module")
def https_url(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(ByPath, context) as base:
        yield base


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    with serving(answering(echo)) as base:
        yield base


def collect(url: str, **fields: Any) -> Noted:
    """Run one check; return its samples and its note, having checked that they would be accepted."""
    found = HttpCheck().collect(HttpCheckConfig(url=url, **{"timeout_s": 5, **fields}))
    check(found, time.time())
    assert isinstance(found, Noted)
    assert len({one.labels["check"] for one in found}) == 1
    return found


def run(url: str, **fields: Any) -> dict[str, float]:
    """Run one check; return its values by metric, those of the phases aside."""
    return {one.metric: one.value for one in collect(url, **fields) if "phase" not in one.labels}


def phases(found: list[Sample]) -> dict[str, float]:
    return {one.labels["phase"]: one.value for one in found if "phase" in one.labels}


def note(url: str, **fields: Any) -> str:
    """Run one check; return what it says about itself, without the address at its beginning."""
    return collect(url, **fields).note.removeprefix(url).strip()


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/ok", {}, 200),
        ("/empty", {}, 204),
        ("/broken", {}, 500),
        ("/gone", {}, 410),
        ("/moved", {}, 200),
        ("/moved", {"follow_redirects": False}, 302),
        ("/loop", {}, 0),
        ("/away", {}, 0),
        ("/strange", {}, 0),
        ("/agent", {}, 200),
        ("/method", {}, 405),
        ("/method", {"method": "HEAD"}, 200),
        ("/garbage", {}, 0),
        ("/short", {}, 0),
        ("/unzippable", {}, 200),
    ],
)
def test_an_answer_is_a_result(url: str, path: str, fields: dict[str, Any], status: int) -> None:
    found = run(url + path, **fields)
    assert found["http_status"] == status
    assert found["http_up"] == (200 <= status < 400)
    assert 0 < found["http_latency_seconds"] < 5
    assert "http_certificate_days" not in found


def test_a_redirect_to_a_port_that_can_not_be_is_a_result() -> None:
    def answer(handler: Handler) -> None:
        handler.answer(302, Location="http://127.0.0.1:99999/")

    with serving(answering(answer)) as base:
        found = collect(base)
    assert {one.metric: one.value for one in found}["http_up"] == 0
    assert found.note == f"{base} can't be requested (there is no port 99999)."


@pytest.mark.parametrize("path", ["/slow", "/trickle", "/trickling_headers"])
def test_what_takes_too_long_is_down_in_the_time_that_was_allowed(url: str, path: str) -> None:
    began = time.monotonic()
    found = run(url + path, timeout_s=0.4)
    assert (found["http_up"], found["http_status"]) == (0, 0)
    assert time.monotonic() - began < 1.5


def test_nobody_there_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = collect(f"http://127.0.0.1:{port}/")
    assert (found[0].metric, found[0].value) == ("http_up", 0)
    assert found.note == f"http://127.0.0.1:{port}/ can't be reached (Connection refused)."


def test_a_name_that_does_not_exist_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch)
    found = collect("http://nobody.test/")
    assert (found[0].metric, found[0].value) == ("http_up", 0)
    assert found.note == "The name nobody.test can't be looked up (Name or service not known)."


def test_where_the_source_may_not_connect_to_is_an_error(url: str) -> None:
    with limited(), pytest.raises(Forbidden):
        collect(f"{url}/ok")


def test_somebody_who_accepts_and_says_nothing_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert run(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.3)["http_up"] == 0


class TestPhases:
    def test_they_are_what_the_latency_is_made_of(self, url: str) -> None:
        found = collect(url.replace("127.0.0.1", "localhost") + "/ok")
        spent = phases(found)
        assert set(spent) == {"dns", "connect", "first_byte", "body"}
        assert 0 < sum(spent.values()) <= run_latency(found)

    def test_a_slow_answer_is_in_the_right_one(self) -> None:
        with serving(answering(sluggish)) as base:
            spent = phases(collect(base))
        assert 0.1 < spent["first_byte"] < 1.5
        assert 1 < spent["body"] < 5

    def test_a_slow_name_server_is_in_the_right_one(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def answer() -> list[str]:
            time.sleep(1)
            return ["127.0.0.1"]

        lead(monkeypatch, slow=answer)
        spent = phases(collect(url.replace("127.0.0.1", "slow.test") + "/ok"))
        assert 1 <= spent["dns"] < 4
        assert spent["connect"] < 1

    def test_tls_is_one(self, https_url: str) -> None:
        assert set(phases(collect(f"{https_url}/ok", verify=False))) == {"dns", "connect", "tls", "first_byte", "body"}

    def test_what_did_not_end_counts_until_it_was_given_up(self, url: str) -> None:
        assert 0.1 < phases(collect(f"{url}/slow", timeout_s=0.6))["first_byte"] < 2


def sluggish(handler: Handler) -> None:
    time.sleep(0.3)
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    time.sleep(1.5)
    handler.wfile.write(b"ok")


def run_latency(found: list[Sample]) -> float:
    return next(one.value for one in found if one.metric == "http_latency_seconds")


class TestExpected:
    @pytest.mark.parametrize(
        ("path", "expected", "up"),
        [
            ("/gone", "410", 1),
            ("/gone", "200, 4xx", 1),
            ("/gone", "404-411", 1),
            ("/gone", "404-409", 0),
            ("/ok", "4XX", 0),
            ("/empty", "204", 1),
        ],
    )
    def test_status(self, url: str, path: str, expected: str, up: int) -> None:
        assert run(url + path, expected_status=expected)["http_up"] == up

    def test_another_status_is_said(self, url: str) -> None:
        assert note(f"{url}/gone") == "answered 410, not 2xx, 3xx."

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"expected_text": "fine"}, ""),
            ({"expected_text": "Fine"}, "answered without 'Fine'."),
            ({"expected_pattern": "^f.n[ef]$"}, ""),
            ({"expected_pattern": "^ine"}, "answered nothing that fits '^ine'."),
            ({"expected_text": "fine", "expected_pattern": "x"}, "answered nothing that fits 'x'."),
            (
                {"expected_json": "a"},
                "answered something that is not JSON (Expecting value: line 1 column 1 (char 0)).",
            ),
        ],
    )
    def test_body(self, url: str, fields: dict[str, str], said: str) -> None:
        assert note(f"{url}/ok", **fields) == said

    @pytest.mark.parametrize(
        ("expression", "up"),
        [("method == 'GET'", 1), ("length(headers) > `2`", 1), ("method", 0), ("nothing", 0), ("abs(method)", 0)],
    )
    def test_json(self, echo_url: str, expression: str, up: int) -> None:
        assert run(echo_url, expected_json=expression)["http_up"] == up

    def test_a_page_that_is_not_in_utf_8_is_read_as_what_it_says(self) -> None:
        def answer(handler: Handler) -> None:
            handler.answer(200, "Grüezi".encode("latin-1"), Content_Type="text/plain; charset=ISO-8859-1")

        with serving(answering(answer)) as base:
            assert note(base, expected_text="Grüezi") == ""

    def test_a_packed_page_is_unpacked_within_bounds(self) -> None:
        sizes = {"/small": 1000, "/bomb": 200_000_000}

        def answer(handler: Handler) -> None:
            packed = gzip.compress(b"x" * sizes[handler.path], 1)
            handler.answer(200, packed, Content_Encoding="gzip")

        with serving(answering(answer)) as base:
            assert note(f"{base}/small", expected_text="xxx") == ""
            assert note(f"{base}/bomb", expected_text="y") == "answered something that is longer than 1024 KiB."

    def test_a_page_that_is_not_what_it_says_is_down_only_if_its_text_matters(self, url: str) -> None:
        assert note(f"{url}/unzippable") == ""
        assert note(f"{url}/unzippable", expected_text="x") == "answered something that is not gzip, as it says."

    def test_no_pattern_is_slow(self) -> None:
        with serving(answering(lambda handler: handler.answer(200, "a" * 500_000))) as base:
            began = time.monotonic()
            assert run(base, expected_pattern="(a+)+b")["http_up"] == 0
            assert time.monotonic() - began < 3


class TestRequest:
    def asked(self, url: str, expression: str, **fields: Any) -> bool:
        return run(url, expected_json=expression, **fields)["http_up"] == 1

    def test_method_body_and_headers(self, echo_url: str) -> None:
        said = "method == 'PUT' && body == '{}' && headers.\"content-type\" == 'application/json'"
        assert self.asked(echo_url, said, method="PUT", body="{}", headers={"Content-Type": "application/json"})

    def test_a_header_replaces_ours(self, echo_url: str) -> None:
        assert self.asked(echo_url, "headers.\"user-agent\" == 'me'", headers={"user-agent": "me"})

    @pytest.mark.parametrize(
        ("fields", "sent"),
        [
            ({"bearer_token": "hush"}, "Bearer hush"),
            ({"username": "ada", "password": "hush"}, "Basic YWRhOmh1c2g="),
            ({"secret_headers": {"Authorization": "Token hush"}}, "Token hush"),
        ],
    )
    def test_credentials(self, echo_url: str, fields: dict[str, Any], sent: str) -> None:
        assert self.asked(echo_url, f"headers.authorization == '{sent}'", **fields)

    @pytest.mark.parametrize("fields", [{"bearer_token": "hush"}, {"secret_headers": {"X-Api-Key": "hush"}}])
    def test_credentials_do_not_follow_to_another_host(self, echo_url: str, fields: dict[str, Any]) -> None:
        key = "authorization" if "bearer_token" in fields else "x-api-key"
        for target, is_sent in ((echo_url, False), ("/echo", True)):
            with serving(redirecting(target)) as base:
                assert self.asked(f"{base}/from", f"contains(keys(headers), '{key}')", **fields) is is_sent


def redirecting(target: str) -> type[Handler]:
    """Return a handler that redirects from /from, and else says what was asked."""

    def answer(handler: Handler) -> None:
        if handler.path == "/from":
            handler.answer(302, Location=target)
        else:
            echo(handler)

    return answering(answer)


class TestCertificates:
    def test_one_that_can_not_be_trusted_is_down(self, https_url: str) -> None:
        found = run(f"{https_url}/ok")
        assert found.pop("http_certificate_days") == pytest.approx(DAYS, abs=0.1)
        assert found == {"http_up": 0, "http_status": 0, "http_latency_seconds": pytest.approx(0, abs=5)}
        said = note(f"{https_url}/ok")
        assert said.startswith("has a certificate that can't be trusted (self")

    def test_one_that_need_not_be_trusted_is_up(self, https_url: str) -> None:
        found = run(f"{https_url}/ok", verify=False)
        assert (found["http_up"], found["http_status"]) == (1, 200)

    def test_the_days_left_are_told_though_it_need_not_be_trusted(self, https_url: str) -> None:
        """A user who turns the check off, for a certificate of their own, still wants to know when it ends."""
        assert run(f"{https_url}/ok", verify=False)["http_certificate_days"] == pytest.approx(DAYS, abs=0.1)

    def test_the_days_left_are_told_though_the_server_then_says_nothing(self, https_url: str) -> None:
        found = run(f"{https_url}/slow", verify=False, timeout_s=1)
        assert found.pop("http_certificate_days") == pytest.approx(DAYS, abs=0.1)
        assert (found["http_up"], found["http_status"]) == (0, 0)

    def test_those_of_a_server_that_redirects_are_not_those_of_one_that_does_not_answer(
        self, certificate: Path
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with serving(redirecting("https://127.0.0.1:1/"), context) as base:
            assert "http_certificate_days" not in run(f"{base}/from", verify=False)

    def test_a_trusted_one_tells_the_days_left(
        self, https_url: str, certificate: Path, trust: Callable[[Path], None]
    ) -> None:
        trust(certificate)
        found = run(f"{https_url}/ok")
        assert found["http_up"] == 1
        assert found["http_certificate_days"] == pytest.approx(DAYS, abs=0.1)

    @pytest.mark.parametrize(
        ("names", "days", "middle_days", "alternatives", "told", "said"),
        [
            (["127.0.0.1"], 30, 90, None, 30, ""),
            (["127.0.0.1"], 30, 4, None, 4, ""),
            (["127.0.0.1"], -2, 90, None, -2, "certificate has expired"),
            (["127.0.0.1"], 30, -3, None, -3, "certificate has expired"),
            (["shop.example"], 30, 90, None, 30, "IP address mismatch"),
            (["localhost"], 30, 90, [], 30, "Hostname mismatch"),
        ],
    )
    def test_the_days_are_told_whatever_is_wrong(
        self,
        tmp_path: Path,
        trust: Callable[[Path], None],
        names: list[str],
        days: float,
        middle_days: float,
        alternatives: list[str] | None,
        told: float,
        said: str,
    ) -> None:
        """The first end in the chain counts; a common name is none, as for the kind tls_certificate."""
        authority = make(["Test Authority"], days=1000, authority=True)
        middle = make(["Test Middle"], days=middle_days, signer=authority, authority=True)
        leaf = make(names, days=days, signer=middle, alternatives=alternatives)
        trust(authority.write(tmp_path / "authority.pem"))
        with serving(ByPath, leaf.server(tmp_path)) as base:
            url = f"{base.replace('127.0.0.1', 'localhost') if alternatives == [] else base}/ok"
            found = run(url, verify=True)
            assert said in note(url)
        assert found["http_certificate_days"] == pytest.approx(told, abs=0.1)
        assert found["http_up"] == (not said)

    def test_http_spoken_to_a_tls_port_is_down(self, https_url: str) -> None:
        assert run(https_url.replace("https", "http") + "/ok", timeout_s=1)["http_up"] == 0

    def test_tls_spoken_to_an_http_port_is_down(self, url: str) -> None:
        assert run(url.replace("http", "https") + "/ok", timeout_s=1)["http_up"] == 0


@given(st.text(max_size=40) | st.text(max_size=20).map("http://{}".format))
def test_any_url_is_taken_or_refused(url: str) -> None:
    try:
        config = HttpCheckConfig(url=url)
    except ValidationError:
        return
    check([Sample("a", 1.0, {"check": config.label})], 0)


class TestConfig:
    @pytest.mark.parametrize(
        ("name", "url", "label"),
        [
            ("Shop", "http://x.example/a", "Shop"),
            ("", "http://x.example/a?token=secret#top", "http://x.example/a"),
            ("", "http://x.example", "http://x.example"),
        ],
    )
    def test_the_check_is_called_by_its_name_or_its_address(self, name: str, url: str, label: str) -> None:
        assert HttpCheckConfig(url=url, name=name).label == label

    def test_a_password_in_the_address_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(ValidationError, match="give username and password") as refused:
            HttpCheckConfig(url="http://me:hush@x.example/a")
        assert "hush" not in refused.value.errors()[0]["msg"]

    def test_a_long_address_makes_a_label_that_is_accepted(self) -> None:
        found = HttpCheckConfig(url="http://127.0.0.1:1/" + "x" * 400, timeout_s=1)
        check(HttpCheck().collect(found), time.time())

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"url": ""},
            {"url": "x.example"},
            {"url": "ftp://x.example/"},
            {"url": "file:///etc/passwd"},
            {"url": "http://"},
            {"url": "http://x.example:port/"},
            {"url": "http://x.example/\x00"},
            {"url": "http://x/", "timeout_s": 0},
            {"url": "http://x/", "timeout_s": 26},
            {"url": "http://x/", "method": "TRACE"},
            {"url": "http://x/", "method": "GET", "body": "x"},
            {"url": "http://x/", "method": "HEAD", "expected_text": "x"},
            {"url": "http://x/", "expected_status": ""},
            {"url": "http://x/", "expected_status": "200,"},
            {"url": "http://x/", "expected_status": "6xx"},
            {"url": "http://x/", "expected_status": "300-200"},
            {"url": "http://x/", "expected_status": "99"},
            {"url": "http://x/", "expected_pattern": "("},
            {"url": "http://x/", "expected_pattern": "(?=look)ahead"},
            {"url": "http://x/", "expected_pattern": "((a{1000}){1000}){1000}"},
            {"url": "http://x/", "expected_json": "status =="},
            {"url": "http://x/", "headers": {"Bad Name": "x"}},
            {"url": "http://x/", "headers": {"X-Two": "one\r\nX-Other: two"}},
            {"url": "http://x/", "headers": {"Content-Length": "5"}},
            {"url": "http://x/", "headers": {"Authorization": "Bearer x"}},
            {"url": "http://x/", "headers": {f"X-{n}": "" for n in range(21)}},
            {"url": "http://x/", "secret_headers": {"X": "\x00"}},
            {"url": "http://x/", "bearer_token": "x", "username": "y"},
            {"url": "http://x/", "bearer_token": "two\nlines"},
            {"url": "http://x/", "verfiy": False},
        ],
    )
    def test_a_bad_one_is_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            HttpCheckConfig(**fields)
