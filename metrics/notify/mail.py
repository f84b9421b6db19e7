"""Mail: text and HTML with a picture of the chart; what belongs together is one conversation."""

import hashlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from pydantic import Field, SecretStr, field_validator, model_validator

from metrics.notify import rendering
from metrics.notify.base import SAID_MOST, ChannelConfig, ChannelError, ChannelKind, Receipt
from metrics.notify.message import Message
from metrics.sources import network_policy, tls
from metrics.sources.base import SourceError

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,255}")
PORTS = {"starttls": 587, "tls": 465, "none": 25}
SCHEMES = {"smtp+starttls": "starttls", "smtps": "tls", "smtp": "none"}
GOODBYE_S = 1.0
PRIORITIES = {"critical": "1"}
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; one that `is_ours` was chosen by the operator, and may be anywhere."""

    host: str
    port: int
    security: str
    username: str = ""
    password: str = ""
    verify: bool = True
    is_ours: bool = False


class MailConfig(ChannelConfig):
    """The recipients; the other fields are for a mail server other than the installation's."""

    to: list[str] = Field(min_length=1, max_length=20, description="Addresses to write to.")
    sender: str = Field(default="", max_length=320, title="From", description="Address it comes from; else EMAIL_FROM.")
    host: str = Field(
        default="", max_length=253, title="Mail server", description="Mail server; else the installation's, EMAIL_URL."
    )
    port: int | None = Field(default=None, ge=1, le=65535, description="Else the usual one: 587, 465 or 25.")
    security: Security = Field(
        default="starttls", description="starttls, tls from the beginning, or none: everything can be read on the way."
    )
    username: str = Field(default="", max_length=200, description="User to sign in as.")
    password: SecretStr = Field(default=SecretStr(""), max_length=1000, description="That user's password.")
    verify: bool = Field(
        default=True,
        title="Verify the certificate",
        description="Whether a certificate that can't be trusted is a failure.",
    )

    @field_validator("to")
    @classmethod
    def _are_addresses(cls, given: list[str]) -> list[str]:
        for one in given:
            if not ADDRESS.fullmatch(one):
                raise ValueError(f"{one[:100]!r} is no address of mail")
        return given

    @field_validator("sender")
    @classmethod
    def _is_sender(cls, given: str) -> str:
        if given and not ADDRESS.fullmatch(given):
            raise ValueError(f"{given[:100]!r} is no address of mail")
        return given

    @model_validator(mode="after")
    def _has_a_server(self) -> Self:
        if not self.host and (self.username or self.password.get_secret_value() or self.port):
            raise ValueError("port, username and password belong to a host")
        if self.security == "none" and self.username:
            raise ValueError(
                "without TLS a password could be read on the way: give no username, or use starttls or tls"
            )
        return self


class Mail(ChannelKind[MailConfig]):
    """Mail with a picture of the chart."""

    kind = "mail"
    config_class = MailConfig

    def where(self, config: MailConfig) -> str:
        return ", ".join(config.to)

    def load(self) -> None:
        tls.context(verify=True)  # kept for the thread, which is the same in a copy of the process

    def send(self, config: MailConfig, message: Message, deadline: float, earlier: Sequence[str] = ()) -> Receipt:
        server = server_of(config)
        written = mail_of(config.to, config.sender or settings.EMAIL_FROM, message, earlier)
        try:
            refused = _send(server, written, deadline)
        except smtplib.SMTPResponseException as error:
            said = f"{server.host} said {error.smtp_code} {_words(error.smtp_error)}."
            raise ChannelError(said, permanent=error.smtp_code >= 500) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            first, (code, why) = next(iter(error.recipients.items()))
            said = f"{server.host} does not take mail for {first}: {code} {_words(why)}."
            raise ChannelError(said, permanent=min(codes) >= 500) from None
        except smtplib.SMTPNotSupportedError as error:
            raise ChannelError(f"{server.host} can't do that: {_words(str(error))}.", permanent=True) from None
        except ssl.SSLCertVerificationError as error:
            said = f"{server.host} has a certificate that can't be trusted ({error.verify_message})."
            raise ChannelError(said) from None
        except network_policy.Forbidden as error:
            raise ChannelError(str(error), permanent=True) from None
        except SourceError as error:
            raise ChannelError(str(error)) from None
        except TimeoutError:
            raise ChannelError(f"{server.host} did not answer in time.") from None
        except (smtplib.SMTPException, OSError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else _words(str(error))
            raise ChannelError(f"{server.host} can't be talked to ({said or type(error).__name__}).") from None
        left_out = f" It does not take mail for {', '.join(refused)}." if refused else ""
        return Receipt(f"{server.host} took it.{left_out}", written["Message-ID"])


def server_of(config: MailConfig) -> Server:
    """Return the server that mail goes through. Raises ChannelError without any."""
    if config.host:
        port, password = config.port or PORTS[config.security], config.password.get_secret_value()
        return Server(config.host, port, config.security, config.username, password, config.verify)
    if not settings.EMAIL_URL:
        said = "This installation has no mail server: its setting EMAIL_URL names one, or the channel's host."
        raise ChannelError(said, permanent=True)
    return ours(settings.EMAIL_URL)


def ours(url: str) -> Server:
    """Return the server of the setting EMAIL_URL."""
    parts = urlsplit(url)
    security = SCHEMES[parts.scheme]
    verify = parse_qs(parts.query).get("verify", ["yes"])[-1] not in ("no", "false", "0", "off")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(
        parts.hostname or "localhost", parts.port or PORTS[security], security, user, password, verify, is_ours=True
    )


def mail_of(to: Sequence[str], sender: str, message: Message, earlier: Sequence[str] = ()) -> EmailMessage:
    """Return `message` as a mail: text, HTML and the picture. It answers what is `earlier` (ids of mails)."""
    zone = ZoneInfo(settings.TIME_ZONE)
    mail = EmailMessage()
    mail["Subject"] = rendering.subject(message)
    mail["From"] = f"Watchfloor <{sender}>" if parseaddr(sender)[1] == sender else sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(time.time())
    domain = sender.rpartition("@")[2].rstrip(">") or "watchfloor"
    mail["Message-ID"] = f"<{_digest(message.key)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.conversation:
        # The first mail is named after the conversation, so that the others find it, be it lost or deleted.
        root = f"<conversation.{_digest(message.conversation)}@{domain}>"
        mail["References"] = " ".join(dict.fromkeys([root, *earlier[-20:]]))
        mail["In-Reply-To"] = earlier[-1] if earlier else root
    if message.severity in PRIORITIES and message.state in ("firing", "escalated"):
        mail["X-Priority"] = PRIORITIES[message.severity]
    mail.set_content(rendering.text(message, zone) + "\n")
    mail.add_alternative(rendering.html(message, zone), subtype="html")
    if message.picture:
        parts = mail.get_payload()
        assert isinstance(parts, list)
        page = parts[1]
        assert isinstance(page, EmailMessage)
        page.add_related(
            message.picture,
            "image",
            "png",
            cid=f"<{rendering.PICTURE}>",
            filename="chart.png",
            disposition="inline",
        )
    return mail


class _Session(smtplib.SMTP):
    """A session with a server whose address was checked."""

    def __init__(self, server: Server, deadline: float) -> None:
        self._server, self._deadline = server, deadline
        super().__init__(server.host, server.port, timeout=max(0.1, deadline - time.monotonic()))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        if self._server.is_ours:
            opened = socket.create_connection((host, port), timeout)
        else:
            opened = network_policy.connect(host, port, timeout)
        if self._server.security == "tls":
            return tls.context(self._server.verify).wrap_socket(opened, server_hostname=host)
        return opened


def _send(server: Server, mail: EmailMessage, deadline: float) -> list[str]:
    """Send `mail`; return the addresses that the server does not take."""
    session = _Session(server, deadline)
    try:
        if server.security == "starttls":
            session.starttls(context=tls.context(server.verify))
        if server.username:
            session.login(server.username, server.password)
        refused = session.send_message(mail)
        with suppress(smtplib.SMTPException, OSError):  # the mail is taken, however the server says goodbye
            if session.sock:
                session.sock.settimeout(GOODBYE_S)
            session.quit()
        return sorted(refused)
    finally:
        session.close()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _words(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:SAID_MOST].rstrip(".")
