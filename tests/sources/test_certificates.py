"""For whom certificates are, and for how long."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from metrics.sources.certificates import days_left, named
from tests.sources.certificates import Certificate, make


def der(made: Certificate) -> bytes:
    return made.certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (["shop.example"], "shop.example", True),
        (["shop.example"], "SHOP.example.", True),
        (["shop.example"], "www.shop.example", False),
        (["*.shop.example"], "www.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "a.b.shop.example", False),
        (["*.example"], "shop.example", False),
        (["xn--caf-dma.example"], "café.example", True),
        (["10.0.0.1"], "10.0.0.1", True),
        (["10.0.0.1"], "10.0.0.2", False),
        (["2001:db8::1"], "2001:db8:0::1", True),
        (["shop.example", "10.0.0.1"], "10.0.0.1", True),
        (["localhost"], "localhost", True),
    ],
)
def test_for_whom_a_certificate_is(names: list[str], host: str, fits: bool) -> None:
    assert named(der(make(names)), host) is fits


def test_for_how_long_a_certificate_is() -> None:
    assert days_left([der(make(["x"], days=3.5))]) == pytest.approx(3.5, abs=0.01)


def test_the_first_end_in_the_chain_counts_and_nothing_that_is_sent_along_besides() -> None:
    authority = make(["Authority"], days=1000, authority=True)
    middle = make(["Middle"], days=3, signer=authority, authority=True)
    leaf, stranger = make(["shop.example"], days=30, signer=middle), make(["Stranger"], days=-5)
    assert days_left([der(one) for one in (leaf, middle, authority)]) == pytest.approx(3, abs=0.01)
    assert days_left([der(one) for one in (leaf, stranger, authority, middle)]) == pytest.approx(3, abs=0.01)
    assert days_left([der(leaf), der(stranger)]) == pytest.approx(30, abs=0.01)


def test_a_common_name_is_no_name_for_anybody() -> None:
    assert not named(der(make(["shop.example"], alternatives=[])), "shop.example")


@pytest.mark.parametrize("bad", [b"", b"x", b"\x30\x03\x02\x01\x01"])
def test_what_is_none_is_for_nobody(bad: bytes) -> None:
    assert (days_left([bad]), days_left([]), named(bad, "x")) == (None, None, False)
