"""Mail: what arrives at a real mail server, what belongs together, and what becomes of refusals."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from metrics.notify.base import ChannelError, Receipt
from metrics.notify.mail import Mail, MailConfig, Server, ours
from metrics.notify.message import Message
from metrics.sources import network_policy, tls
from tests.browser.person import SOON_S
from tests.notify.receivers import letters
from tests.notify.test_webhook import MESSAGE
from tests.sources import certificates

PNG = b"\x89PNG\r\n\x1a\nnearly"


@pytest.fixture(autouse=True)
def _installation(settings: Any) -> None:
    settings.EMAIL_FROM = "watch@example.com"
    settings.EMAIL_URL = ""


def send(port: int, message: Message = MESSAGE, earlier: tuple[str, ...] = (), **config: Any) -> Receipt:
    given = {"to": ["ada@example.com"], "host": "127.0.0.1", "port": port, "security": "none", **config}
    return Mail().send(MailConfig.model_validate(given), message, time.monotonic() + SOON_S, earlier)


def test_a_mail_has_text_and_html_and_the_picture_inside() -> None:
    with letters() as server:
        receipt = send(
            server.port, Message(**{**_fields(MESSAGE), "picture": PNG}), to=["ada@example.com", "bob@example.com"]
        )
    (mail,) = server.got
    assert server.to == [["ada@example.com", "bob@example.com"]]
    assert mail["Subject"] == "Firing (critical): Disk full on web-1 <b>"
    assert mail["From"] == "Watchfloor <watch@example.com>"
    assert (mail["Auto-Submitted"], mail["X-Priority"]) == ("auto-generated", "1")
    assert receipt == Receipt("127.0.0.1 took it.", mail["Message-ID"])
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain
    assert page
    assert '* Disk full{host="web-1"}: 97 %, since 2026-11-20 11:59:00 UTC' in plain.get_content()
    assert "… and 2 more" in plain.get_content()
    assert "Details: https://watch.example.com/incidents/3/" in plain.get_content()
    html = page.get_content()
    assert "Disk full on web-1 &lt;b&gt;" in html
    assert "<b>" not in html
    assert 'src="cid:chart"' in html
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<chart>"
    assert picture.get_content() == PNG


def test_mails_of_a_conversation_answer_each_other_and_the_same_mail_has_the_same_id() -> None:
    with letters() as server:
        first = send(server.port)
        assert send(server.port).id == first.id
        later = Message(**{**_fields(MESSAGE), "state": "resolved", "key": "incident:3:resolved"})
        send(server.port, later, (first.id,))
        other = Message(**{**_fields(MESSAGE), "conversation": "incident:4", "key": "incident:4:firing"})
        send(server.port, other)
    one, _, two, another = server.got
    assert two["In-Reply-To"] == first.id
    root = one["In-Reply-To"]
    assert two["References"].split() == [root, first.id]
    assert another["In-Reply-To"] != root
    assert two["Subject"] == "Resolved: Disk full on web-1 <b>"


@pytest.mark.parametrize(
    ("refused", "permanent"),
    [("550 no such user", True), ("450 try later", False)],
)
def test_a_refused_address_is_said_and_greylisting_is_waited_for(refused: str, permanent: bool) -> None:
    with letters() as server:
        server.refused = {"ada@example.com": refused}
        with pytest.raises(ChannelError, match=r"does not take mail for ada@example\.com") as problem:
            send(server.port)
    assert problem.value.permanent is permanent
    with letters() as server:
        server.refused = {"ada@example.com": refused}
        receipt = send(server.port, to=["ada@example.com", "bob@example.com"])
    assert receipt.said == "127.0.0.1 took it. It does not take mail for ada@example.com."
    assert server.to == [["bob@example.com"]]


@pytest.mark.parametrize(("said", "permanent"), [("554 spam", True), ("451 later", False)])
def test_a_refused_mail_is_said(said: str, permanent: bool) -> None:
    with letters() as server:
        server.said = said
        with pytest.raises(ChannelError, match=rf"^127\.0\.0\.1 said {said}\.$") as problem:
            send(server.port)
    assert problem.value.permanent is permanent


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_signs_in_over_tls_and_trusts_nobody_unknown(security: str, tmp_path: Path) -> None:
    context = certificates.make(["127.0.0.1"]).server(tmp_path)
    tls.forget()
    with letters(**{security: context}) as server:
        fields: dict[str, Any] = {"security": security, "username": "watch"}
        with pytest.raises(ChannelError, match="can't be trusted"):
            send(server.port, password="right", **fields)
        with pytest.raises(ChannelError, match="said 535") as problem:
            send(server.port, password="wrong", verify=False, **fields)
        assert problem.value.permanent
        assert "wrong" not in str(problem.value)
        send(server.port, password="right", verify=False, **fields)
    assert len(server.got) == 1
    assert set(server.users) == {"watch"}
    tls.forget()


def test_a_server_without_starttls_is_told_nothing() -> None:
    with letters() as server, pytest.raises(ChannelError) as problem:
        send(server.port, security="starttls")
    assert problem.value.permanent
    assert server.got == []


def test_the_installations_server_may_be_anywhere_and_others_may_not(settings: Any) -> None:
    with letters() as server, network_policy.limited():
        with pytest.raises(ChannelError, match="is loopback") as problem:
            send(server.port)
        assert problem.value.permanent
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        Mail().send(MailConfig(to=["ada@example.com"]), MESSAGE, time.monotonic() + SOON_S)
    assert len(server.got) == 1


def test_without_any_server_it_says_which_setting_names_one() -> None:
    with pytest.raises(ChannelError, match="EMAIL_URL") as problem:
        Mail().send(MailConfig(to=["ada@example.com"]), MESSAGE, time.monotonic() + SOON_S)
    assert problem.value.permanent


def test_nobody_there_is_worth_another_try() -> None:
    with letters() as server:
        pass
    with pytest.raises(ChannelError) as problem:
        send(server.port)
    assert not problem.value.permanent


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mx", Server("mx", 25, "none", is_ours=True)),
        ("smtps://u%40x:p%2Fw@mx", Server("mx", 465, "tls", "u@x", "p/w", is_ours=True)),
        ("smtp+starttls://mx:2525?verify=no", Server("mx", 2525, "starttls", verify=False, is_ours=True)),
    ],
)
def test_the_setting_names_a_server(url: str, server: Server) -> None:
    assert ours(url) == server


@pytest.mark.parametrize(
    "config",
    [
        {"to": []},
        {"to": ["ada"]},
        {"to": ["ada@example.com\nBcc: all@example.com"]},
        {"to": ["ada@example.com"], "sender": "me"},
        {"to": ["ada@example.com"], "username": "ada"},
        {"to": ["ada@example.com"], "host": "mx", "security": "none", "username": "ada"},
    ],
)
def test_what_cannot_be_sent_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="MailConfig"):
        MailConfig.model_validate(config)


def _fields(message: Message) -> dict[str, Any]:
    with suppress(AttributeError):
        return {name: getattr(message, name) for name in Message.__slots__}
    raise AssertionError
