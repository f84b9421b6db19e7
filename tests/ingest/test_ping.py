"""Pings: what a path, a run's id and a body say, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.heartbeat import EXIT_STATUS_MOST, RUN_MOST, Signal
from metrics.ingest.ping import BadPing, parse

texts = st.text(max_size=RUN_MOST + 5)


@pytest.mark.parametrize(
    ("word", "signal", "exit_status"),
    [
        ("", Signal.SUCCESS, None),
        ("start", Signal.START, None),
        ("fail", Signal.FAIL, None),
        ("0", Signal.SUCCESS, 0),
        (str(EXIT_STATUS_MOST), Signal.FAIL, EXIT_STATUS_MOST),
    ],
)
def test_the_word_is_a_signal(word: str, signal: Signal, exit_status: int | None) -> None:
    ping = parse(word, "run 1", b"done", 5.0)
    assert (ping.signal, ping.exit_status, ping.run, ping.body, ping.at) == (signal, exit_status, "run 1", "done", 5.0)


@pytest.mark.parametrize("word", ["stop", str(EXIT_STATUS_MOST + 1), "-1", "0x1", "\u0661", " ", "1e2"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(BadPing, match=r"is neither start, nor fail, nor an exit code from 0 to \d+\.$"):
        parse(word, "", b"", 0)


@given(st.sampled_from(["", "start", "fail", "0", "256"]) | texts, texts, st.binary(max_size=50))
def test_anything_is_a_ping_that_can_be_stored_or_refused_in_a_sentence(word: str, run: str, body: bytes) -> None:
    texts = []
    try:
        ping = parse(word, run, body, 0)
        texts = [ping.run, ping.body]
    except BadPing as problem:
        refused = str(problem)
    else:
        refused = ""
    assert texts or refused.endswith(".")
    for text in texts:
        assert "\x00" not in text
        text.encode()
