"""Samples in files: what is written is read again, and a line that is none is named."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest import csv_samples, json_lines
from metrics.names import LABEL_NAME, METRIC_NAME
from metrics.sample import BadSamples, Sample
from tests.make import AT

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
NAME = st.from_regex(LABEL_NAME, fullmatch=True).filter(lambda name: name not in csv_samples.OURS)
SAMPLES = st.lists(
    st.builds(
        Sample,
        st.from_regex(METRIC_NAME, fullmatch=True),
        st.floats(allow_nan=False, allow_infinity=False),
        st.dictionaries(NAME, TEXT, max_size=3),
        st.floats(0, 4e9),
        st.none() | TEXT,
    ),
    max_size=5,
)


def lines_of(text: str) -> Iterator[str]:
    """Return the lines as a file does that was opened with newline=""."""
    return iter(text.splitlines(keepends=True))


@given(SAMPLES)
def test_csv_is_read_as_it_was_written(samples: list[Sample]) -> None:
    labels = sorted({name for sample in samples for name in sample.labels})
    text = "".join(csv_samples.write(samples, labels))
    assert [sample for _, sample in csv_samples.read(_kept(text))] == samples


@given(SAMPLES)
def test_json_lines_are_read_as_they_were_written(samples: list[Sample]) -> None:
    assert [sample for _, sample in json_lines.read(json_lines.write(samples))] == samples


def _kept(text: str) -> Iterator[str]:
    """Lines end at \\n alone, as Python's files have it; a label may hold other breaks."""
    return iter([line + "\n" for line in text.split("\n")[:-1]])


def problem(read: Callable[..., Iterator[tuple[int, Sample]]], text: str) -> tuple[int | None, str]:
    with pytest.raises(BadSamples) as refused:
        list(read(lines_of(text)))
    (one,) = refused.value.problems
    assert one.message.endswith(".")
    return one.index, one.field


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (1, "metric")),
        ("metric,value\n", (1, "at")),
        ("metric,at,value,host,host\n", (1, "header")),
        ("metric,at,value\nm,0,1\n\nm,0,many\n", (4, "value")),
        ("metric,at,value\nm,yesterday,1\n", (2, "at")),
        ("metric,at,value\nm,2026-11-20T12:00:00,1\n", (2, "at")),
        ("metric,at,value\nm,0\n", (2, "line")),
        ('metric,at,value\nm,0,"1\n', (2, "line")),
        ('metric,at,value\nm,0,"1"x\n', (2, "line")),
    ],
)
def test_csv_names_the_line_that_is_none(text: str, expected: tuple[int, str]) -> None:
    assert problem(csv_samples.read, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"metric": "m", "value": 1}\n\nnonsense\n', (3, "line")),
        ('{"metric": "m", "value": 1}, {"metric": "n", "value": 1}\n', (1, "line")),
        ("]}\n", (1, "line")),
        ('{"metric": "m"}\n', (1, "value")),
        ('{"metric": "m", "value": 1, "host": "a"}\n', (1, "host")),
    ],
)
def test_json_lines_name_the_line_that_is_none(text: str, expected: tuple[int, str]) -> None:
    assert problem(json_lines.read, text) == expected


def test_columns_that_are_not_ours_are_labels_and_an_empty_one_is_none() -> None:
    text = "at,host,metric,value,dc,unit\n2026-11-20T12:00:00Z,a,m,1.5,,bytes\n"
    assert list(csv_samples.read(lines_of(text))) == [(2, Sample("m", 1.5, {"host": "a"}, AT, "bytes"))]


@given(st.text())
def test_no_text_is_anything_but_samples_or_refused(text: str) -> None:
    for read in (csv_samples.read, json_lines.read):
        try:
            list(read(lines_of(text)))
        except BadSamples:
            continue
