"""Parts of every kind of channel: one file with a config, and how a message is sent there."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict

from metrics.notify.message import Message
from metrics.versioned import Versioned

SAID_MOST = 300


class ChannelError(Exception):
    """Nobody was told; the message is one sentence for those who own the channel.

    One that is `permanent` would go wrong the same way once more. `wait_s` is for how long the other side wants to be
    left alone, if it said so. One that `is_ours` says nothing of the channel: the other side was not asked.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, wait_s: float | None = None, is_ours: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.wait_s = wait_s
        self.is_ours = is_ours


@dataclass(frozen=True, slots=True)
class Receipt:
    """Answer of the other side: a line that it `said`, and the `id` under which it knows the message, if it has one."""

    said: str = ""
    id: str = ""


class ChannelConfig(Versioned):
    """Base of a channel's config; a subclass declares its fields. Credentials are of the type SecretStr."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


C = TypeVar("C", bound=Versioned)


class ChannelKind(ABC, Generic[C]):
    """A way of telling people outside. A subclass in the module of its kind's name in this package registers itself.

    It runs in a process of its own, which is ended when its time is over.
    """

    kind: ClassVar[str]
    config_class: type[C]
    group: ClassVar[str] = "people"
    """Its group where people choose a kind: one of metrics.kind_groups.CHANNELS."""

    def load(self) -> None:
        """Make ready what sending needs whatever the message, such as modules; no connection, and no thread."""

    @abstractmethod
    def send(self, config: C, message: Message, deadline: float, earlier: Sequence[str] = ()) -> Receipt:
        """Send `message` until `deadline` (of time.monotonic). Raises ChannelError.

        `earlier` are the ids in the receipts of what was sent of the same conversation, the oldest first.
        """

    def where(self, config: C) -> str:
        """Return where it goes, in a few words without credentials."""
        return ""


AnyChannelKind = ChannelKind[Any]
