"""Pings as they arrive: the last part of the path, the run's id and a body in, what the job says out."""

from metrics.heartbeat import EXIT_STATUS_MOST, RUN_MOST, Ping, signal_of

BROKEN = {0: "\N{REPLACEMENT CHARACTER}"}


class BadPing(Exception):
    """A ping that says nothing that is known; the message is one sentence."""


def parse(word: str, run: str, body: bytes, at: float) -> Ping:
    """Return the ping at `at` (Unix seconds). Raises BadPing for an unknown signal or a run id that is too long.

    A body in another encoding than UTF-8 is kept as far as it can be read.
    """
    signal = signal_of(word)
    if signal is None:
        raise BadPing(f"{word[:50]!r} is neither start, nor fail, nor an exit code from 0 to {EXIT_STATUS_MOST}.")
    if len(run) > RUN_MOST or not run.isprintable():
        raise BadPing(f"rid is not a text of at most {RUN_MOST} characters.")
    return Ping(at, *signal, run=run, body=body.decode(errors="replace").translate(BROKEN))
