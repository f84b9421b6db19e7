"""Base classes of every source kind."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Generic, TypeVar

from pydantic import ConfigDict

from metrics.sample import Sample
from metrics.verdict import Verdict
from metrics.versioned import Versioned


class SourceError(Exception):
    """A run that failed; the message is one sentence for the source's owner.

    `samples` are stored all the same: what is known even so, such as that nobody answers.
    """

    def __init__(self, message: str, samples: Sequence[Sample] = ()) -> None:
        super().__init__(message)
        self.samples = list(samples)


class Noted(list[Sample]):
    """The samples of a run that also has something to say: `note` is a line for the source's page.

    A run that checks something gives its `verdict` too; one that only measures has none.
    """

    def __init__(self, samples: Iterable[Sample], note: str, verdict: Verdict | None = None) -> None:
        super().__init__(samples)
        self.note = note
        self.verdict = verdict


def checked(samples: Iterable[Sample], problem: str) -> Noted:
    """Return the samples of a check that found `problem`, a sentence; empty if all is as it should be."""
    return Noted(samples, problem, Verdict.DOWN if problem else Verdict.UP)


@contextmanager
def keeping(found: list[Sample]) -> Iterator[None]:
    """Give `found`, as long as it is by then, to the SourceError that ends the block."""
    try:
        yield
    except SourceError as problem:
        problem.samples += found
        raise


def first_of(problems: Sequence[object]) -> str:
    """Return the first of `problems`, each of which is a sentence, and how many more there are."""
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return f"{problems[0]}{more}" if problems else ""


def left_out(problems: Sequence[object]) -> str:
    """Return the note of a run that left out values because of `problems`; empty if there are none."""
    return f"Left out: {first_of(problems)}" if problems else ""


class SourceConfig(Versioned):
    """Base of a source's config; a subclass declares its fields.

    Passwords, keys and the like are of the type SecretStr: such fields are kept encrypted and never shown again.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


C = TypeVar("C", bound=SourceConfig)


class SourceKind(ABC, Generic[C]):
    """A way of collecting. A subclass in a module of its own in this package registers itself by being imported."""

    kind: ClassVar[str]
    config_class: type[C]
    group: ClassVar[str] = "values"
    """Its group where people choose a kind: one of metrics.kind_groups.SOURCES."""
    timeout_s: ClassVar[float] = 30
    """No run takes longer; every wait inside one is bounded by less."""
    administrators_only: ClassVar[bool] = False
    """Whether only administrators may make one: it runs programs of this machine."""

    comes_from: ClassVar[str] = ""
    """Origin of sources that are made and changed by themselves, else empty: users may only turn those on and off."""

    @abstractmethod
    def collect(self, config: C) -> list[Sample]:
        """Return the samples of one run; `checked` for a check, `Noted` if there is more to say.

        Raises SourceError if the run failed.
        """
