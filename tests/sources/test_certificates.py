"""For whom certificates are, and for how long."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from metrics.sources.certificates import days_left, named
from tests.sources.certificates import make


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
    assert named(make(names).certificate.public_bytes(Encoding.DER), host) is fits


def test_for_how_long_a_certificate_is() -> None:
    assert days_left(make(["x"], days=3.5).certificate.public_bytes(Encoding.DER)) == pytest.approx(3.5, abs=0.01)


@pytest.mark.parametrize("der", [b"", b"x", b"\x30\x03\x02\x01\x01"])
def test_what_is_none_is_for_nobody(der: bytes) -> None:
    assert (days_left(der), named(der, "x")) == (None, False)
