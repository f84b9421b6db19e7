"""Everything that apprise knows: Slack, Teams, Telegram, Matrix, PagerDuty, Pushover, SMS and a hundred others."""

import logging
import time
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from pydantic import Field, SecretStr, field_validator

from metrics.notify import rendering
from metrics.notify.base import ChannelConfig, ChannelError, ChannelKind, Receipt
from metrics.notify.message import Message
from metrics.notify.sending import confined
from metrics.notify.webhook import LATER, phrase, wait_of
from metrics.sources import network_policy

URL_MOST = 2000
TYPES = {"firing": "failure", "escalated": "failure", "update": "warning", "resolved": "success"}
TYPES |= {"digest": "info", "test": "info"}


class AppriseConfig(ChannelConfig):
    """Where to, as apprise writes it."""

    url: SecretStr = Field(
        title="Address for apprise",
        description="Address as apprise has it, such as slack://… or tgram://…; it holds a token, and is kept as one.",
    )

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if "://" not in text or len(text) > URL_MOST or not text.isprintable():
            raise ValueError("it is no address such as slack://TokenA/TokenB/TokenC")
        return value


class Apprise(ChannelKind[AppriseConfig]):
    """Slack, Teams, Telegram, Matrix, PagerDuty, SMS and a hundred others, by an address of apprise."""

    kind = "apprise"
    config_class = AppriseConfig

    def where(self, config: AppriseConfig) -> str:
        return f"{config.url.get_secret_value().partition('://')[0]}://…"

    def load(self) -> None:
        import apprise  # 44 MiB: in the process that sends alone

        apprise.Apprise.instantiate("json://localhost")  # it loads all its services

    def send(self, config: AppriseConfig, message: Message, deadline: float, earlier: Sequence[str] = ()) -> Receipt:
        self.load()  # which is none of theirs
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it logs holds the token
        where = self.where(config)
        answers, refusals = _listen(), confined.confine() if network_policy.is_limited() else []
        service = apprise.Apprise.instantiate(config.url.get_secret_value(), suppress_exceptions=True)
        if service is None:
            raise ChannelError(f"apprise can't read this address ({where}).", permanent=True)
        # its own limits are those of each read; the time of all of them is the deadline's
        service.socket_connect_timeout = service.socket_read_timeout = max(0.1, deadline - time.monotonic())
        target = apprise.Apprise()
        target.add(service)
        sent = target.notify(
            body=rendering.text(message, ZoneInfo(settings.TIME_ZONE)),
            title=rendering.subject(message),
            notify_type=TYPES[message.state],
            body_format=apprise.NotifyFormat.TEXT,
            attach=_attached(message, service),
        )
        if sent:
            return Receipt(f"{where} took it.")
        raise _problem(where, answers, refusals)


def _listen() -> list[Any]:
    """Return the list into which goes each answer that apprise gets, as it says itself nothing of them."""
    import requests

    answers: list[Any] = []
    original = requests.Session.send

    def send(self: Any, request: Any, **more: Any) -> Any:
        try:
            answer = original(self, request, **more)
        except requests.RequestException as error:
            answers.append(error)
            raise
        answers.append(answer)
        return answer

    requests.Session.send = send  # type: ignore[method-assign]
    return answers


def _attached(message: Message, service: Any) -> Any:
    """Return the picture as apprise has it, for services that take one."""
    if not message.picture or not getattr(service, "attachment_support", False):
        return None
    from apprise.attachment.memory import AttachMemory

    picture: Any = AttachMemory
    return picture(content=message.picture, name="chart.png", mimetype="image/png")


def _problem(where: str, answers: Sequence[Any], refusals: Sequence[str]) -> ChannelError:
    """Return why nothing was sent, as far as can be told."""
    import requests

    if refusals:
        return ChannelError(refusals[0], permanent=True)
    newest = answers[-1] if answers else None
    if isinstance(newest, requests.RequestException):
        slow = isinstance(newest, requests.Timeout)
        return ChannelError(f"{where} {'did not answer in time' if slow else 'can not be reached'}.")
    status = getattr(newest, "status_code", None)
    if status is None:
        return ChannelError(f"{where} did not take the message; apprise does not say why.")
    if 200 <= status < 300:
        return ChannelError(f"{where} answered {phrase(status)}, and apprise takes that for a failure.")
    later = status >= 500 or status in LATER
    wait_s = wait_of(newest.headers.get("Retry-After", "")) if newest is not None else None
    return ChannelError(f"{where} answered {phrase(status)}.", permanent=not later, wait_s=wait_s)
