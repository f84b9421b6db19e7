"""Encoded bodies: what was sent comes out, and nothing can make more of itself than may be."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import cramjam
import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from ninja.errors import HttpError
from pytest_django import Settings

from metrics.api.encoding import decoded

LIMIT = 10_000
TEXT = b'{"samples": []}' * 100


def raw_deflate(plain: bytes) -> bytes:
    return zlib.compress(plain, wbits=-zlib.MAX_WBITS)


def snappy(plain: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(plain))


def snappy_frames(plain: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(plain))


def plain(raw: bytes) -> bytes:
    return raw


def gzip_members(plain: bytes) -> bytes:
    return gzip.compress(plain[:7]) + gzip.compress(b"") + gzip.compress(plain[7:])


FORMS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("", plain),
    ("identity", plain),
    ("gzip", gzip.compress),
    ("gzip", gzip_members),
    ("x-gzip", gzip.compress),
    (" GZip ", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("snappy", snappy),
    ("snappy", snappy_frames),
]
PACKED = [form for form in FORMS if form[1] is not plain]


def decode(body: bytes, encoding: str, limit: int = LIMIT) -> bytes:
    headers = {"Content-Encoding": encoding} if encoding else {}
    return decoded(RequestFactory().post("/", body, content_type="text/plain", headers=headers), limit)


def refusal(body: bytes, encoding: str, limit: int = LIMIT) -> int:
    with pytest.raises(HttpError, match=r"\.$") as refused:
        decode(body, encoding, limit)
    return refused.value.status_code


@pytest.mark.parametrize(("encoding", "pack"), FORMS)
@pytest.mark.parametrize("body", [b"", b"a", TEXT])
def test_what_was_packed_comes_out(encoding: str, pack: Callable[[bytes], bytes], body: bytes) -> None:
    assert decode(pack(body), encoding) == body


@pytest.mark.parametrize(("encoding", "pack"), FORMS)
def test_at_the_limit_it_is_taken_and_beyond_it_is_413(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(decode(pack(b"a" * LIMIT), encoding)) == LIMIT
    assert refusal(pack(b"a" * (LIMIT + 1)), encoding) == 413


@pytest.mark.parametrize(("encoding", "pack"), FORMS)
def test_what_arrives_may_not_be_larger_either(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TEXT)
    assert refusal(packed, encoding, limit=len(packed) - 1) == 413


def test_a_body_over_djangos_own_limit_is_413(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT
    assert refusal(b" " * (LIMIT + 1), "", limit=2 * LIMIT) == 413


@pytest.mark.parametrize(("encoding", "pack"), PACKED)
def test_a_bomb_is_never_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"\0" * 50_000_000)
    tracemalloc.start()
    try:
        assert refusal(bomb, encoding, limit=len(bomb)) == 413
        assert tracemalloc.get_traced_memory()[1] < 8 * len(bomb) + 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("encoding", "pack"), PACKED)
def test_what_is_cut_off_or_goes_on_is_400(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TEXT)
    assert refusal(packed[:-1], encoding) == 400
    assert refusal(packed + b"more", encoding) == 400
    assert refusal(TEXT, encoding) == 400


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,", "a\x01"])
def test_what_nobody_knows_is_415(encoding: str) -> None:
    assert refusal(TEXT, encoding) == 415


@given(st.binary(max_size=300), st.sampled_from([encoding for encoding, _ in FORMS]))
def test_any_bytes_are_a_body_or_refused(body: bytes, encoding: str) -> None:
    status = 200
    try:
        assert len(decode(body, encoding)) <= LIMIT
    except HttpError as refused:
        status = refused.status_code
    assert status in (200, 400, 413)
