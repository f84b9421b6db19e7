"""Output of checks: examples from the guidelines and from real checks, and anything at all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.sources.perfdata import Datum, read


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("", ""),
        ("\n", ""),
        ("OK", "OK"),
        ("OK - fine \n", "OK - fine"),
        ("OK | a=1", "OK"),
        ("| a=1", ""),
        ("first\nsecond | a=1", "first"),
    ],
)
def test_the_text_is_the_first_line_up_to_the_bar(output: str, text: str) -> None:
    assert read(output).text == text


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("time=0.5s", Datum("time", 0.5, "seconds")),
        ("rta=12.5ms;100.000000;200.000000;0.000000", Datum("rta", 0.0125, "seconds")),
        ("t=3us", Datum("t", 3e-6, "seconds")),
        ("pl=0%;20;40;0;", Datum("pl", 0, "percent")),
        ("/=34652291072B;243497277849;257024904396;0;270552530944", Datum("/", 34652291072, "bytes")),
        ("mem=2KB", Datum("mem", 2048, "bytes")),
        ("mem=1.5MiB", Datum("mem", 1.5 * 1024**2, "bytes")),
        ("mem=1TB", Datum("mem", 1024**4, "bytes")),
        ("octets=12345c", Datum("octets", 12345, None, is_counter=True)),
        ("users=3;5:;@10:20;0;", Datum("users", 3)),
        ("temperature=21.5C;30;40", Datum("temperature", 21.5, "C")),
        ("x=-1.5e3", Datum("x", -1500)),
        ("x=+.5", Datum("x", 0.5)),
        ("'free space'=5GB;1;2", Datum("free space", 5 * 1024**3, "bytes")),
        ("'it''s=here'=1", Datum("it's=here", 1)),
        ("'C:\\'=7%", Datum("C:\\", 7, "percent")),
    ],
)
def test_a_datum(data: str, found: Datum) -> None:
    said = read(f"OK|{data}")
    assert [(one.label, one.unit, one.is_counter) for one in said.data] == [(found.label, found.unit, found.is_counter)]
    assert said.data[0].value == pytest.approx(found.value)
    assert said.unreadable == ()


def test_several_on_several_lines() -> None:
    """The example of Nagios' own documentation."""
    output = """DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968
/ 15272 MB (77%);
/boot 68 MB (69%);
/home 69357 MB (27%);
/var/log 819 MB (84%); | /boot=68MB;88;93;0;98
/home=69357MB;253404;253409;0;253414
/var/log=818MB;970;975;0;980
"""
    said = read(output)
    assert said.text == "DISK OK - free space: / 3326 MB (56%);"
    assert [one.label for one in said.data] == ["/", "/boot", "/home", "/var/log"]
    assert said.unreadable == ()


def test_a_label_that_comes_twice_counts_once() -> None:
    assert read("OK|a=1 b=2 a=3").data == (Datum("a", 3), Datum("b", 2))


@pytest.mark.parametrize("value", ["U", "U;1;2", ""])
def test_a_value_that_is_unknown_is_none(value: str) -> None:
    said = read(f"OK|a={value} b=1")
    assert (said.data, said.unreadable) == ((Datum("b", 1),), ())


@pytest.mark.parametrize(
    ("data", "unreadable"),
    [
        ("a=1,5 b=1", ("a=1,5",)),
        ("nonsense b=1", ("nonsense",)),
        ("=1 b=1", ("=1",)),
        ("a=1.2.3s b=1", ("a=1.2.3s",)),
        ("'open=1 b=1", ("'open=1",)),
        ("a=1e999 b=1", ("a=1e999",)),
        ("free space=5GB b=1", ("free",)),
    ],
)
def test_what_can_not_be_read_is_told_and_spoils_nothing(data: str, unreadable: tuple[str, ...]) -> None:
    said = read(f"OK|{data}")
    assert said.unreadable == unreadable
    assert said.data[-1] == Datum("b", 1)


@given(st.text() | st.text("a='; |1s%\n", max_size=40))
def test_anything_is_read(output: str) -> None:
    said = read(output)
    assert "\n" not in said.text
    assert all(math.isfinite(one.value) and one.label for one in said.data)
