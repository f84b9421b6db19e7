"""Pictures made anew: what stays of each format, what goes, and what is refused."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from metrics import pictures

SECRET = b"SECRET-PLACE"


def drawn(kind: str, size: tuple[int, int] = (40, 20), mode: str = "RGB", **saved: Any) -> bytes:
    """Return a picture with red at its left and blue at its right."""
    image = Image.new(mode, size, "red" if mode != "L" else 200)
    if mode == "RGB":
        image.paste("blue", (size[0] // 2, 0, *size))
    written = io.BytesIO()
    image.save(written, kind, **saved)
    return written.getvalue()


def animated(kind: str, frames: int, size: tuple[int, int] = (16, 16)) -> bytes:
    images = [Image.new("RGB", size, (n % 256, n * 7 % 256, 128)) for n in range(frames)]
    written = io.BytesIO()
    images[0].save(written, kind, save_all=True, append_images=images[1:], duration=70, loop=0)
    return written.getvalue()


def read(picture: pictures.Picture | None) -> Image.Image:
    assert picture is not None
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    assert (image.size, pictures.TYPES[image.format or ""]) == ((picture.width, picture.height), picture.type)
    return image


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says it is of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def of_scans(count: int) -> bytes:
    """Return a progressive JPEG of so many scans, each of which goes over the whole picture."""
    progressive = drawn("JPEG", progressive=True)
    begin, end = progressive.rindex(b"\xff\xda"), progressive.rindex(b"\xff\xd9")
    return progressive[:begin] + progressive[begin:end] * count + progressive[end:]


@pytest.mark.parametrize("kind", pictures.TYPES)
def test_a_picture_stays_what_it_is_and_loses_all_that_is_hidden_in_it(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    more: dict[str, Any] = {"comment": SECRET} if kind in ("GIF", "JPEG") else {}
    if kind == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("place", SECRET.decode())
    if kind != "GIF":
        more |= {"exif": exif, "icc_profile": SECRET}
    data = drawn(kind, **more) + b"<script>" + SECRET + b"</script>PK\x03\x04"
    assert SECRET in data
    picture = pictures.remade(data)
    image = read(picture).convert("RGB")
    assert picture is not None
    assert picture.type == pictures.TYPES[kind]
    assert SECRET not in picture.data
    assert b"<script" not in picture.data
    left, right = image.getpixel((3, 10)), image.getpixel((36, 10))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > 200 > 60 > left[2]
    assert right[2] > 200 > 60 > right[0]


def test_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    image = read(pictures.remade(drawn("JPEG", exif=exif))).convert("RGB")
    assert image.size == (20, 40)
    top = image.getpixel((10, 3))
    assert isinstance(top, tuple)
    assert top[0] > 200


@pytest.mark.parametrize(
    ("size", "expected"), [((5120, 20), (2560, 10)), ((20, 5120), (10, 2560)), ((2560, 9), (2560, 9))]
)
def test_a_large_one_is_scaled_down(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert read(pictures.remade(drawn("PNG", size))).size == expected


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_way_to_write_colours_can_be_shown(mode: str) -> None:
    grey = 255 if mode == "1" else 128
    image = Image.new("L", (9, 9), grey)
    image = image.convert("I").point(lambda v: v * 257).convert(mode) if mode == "I;16" else image.convert(mode)
    written = io.BytesIO()
    image.save(written, "JPEG" if mode == "CMYK" else "PNG")
    assert read(pictures.remade(written.getvalue())).convert("L").getpixel((4, 4)) == pytest.approx(grey, abs=3)


def test_what_shows_through_goes_on_to() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((0, 0), 1)
    written = io.BytesIO()
    image.save(written, "PNG", transparency=0)
    shown = read(pictures.remade(written.getvalue()))
    assert (shown.getpixel((0, 0)), shown.getpixel((2, 2))) == ((255, 0, 0, 255), (0, 0, 0, 0))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(("limit", "most"), [(None, 0), ("FRAMES_MOST", 4), ("ANIMATED_PIXELS_MOST", 4 * 16 * 16)])
def test_an_animation_keeps_its_frames_or_becomes_its_first(
    monkeypatch: pytest.MonkeyPatch, kind: str, limit: str | None, most: int
) -> None:
    if limit:
        monkeypatch.setattr(pictures, limit, most)
    image = read(pictures.remade(animated(kind, 5)))
    assert getattr(image, "n_frames", 1) == (1 if limit else 5)
    if not limit:
        image.seek(1)
        image.load()
        assert (image.info["duration"], image.info.get("loop", 0)) == (70, 0)


@pytest.mark.parametrize("size", [(8000, 5001), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(pictures.TooLargeError, match=r"^A picture has at most 40 megapixels\.$"):
        pictures.remade(bomb(*size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a<script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0 no picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        b"<!doctype html><p>hello",
        b"%PDF-1.7",
        drawn("PNG")[:60],
        drawn("JPEG", (600, 600))[:900],
        drawn("BMP"),
        bomb(100, 100).replace(b"IDAT", b"IDAX"),
    ],
    ids=range(11),
)
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert pictures.remade(data) is None


def test_a_jpeg_of_more_scans_than_any_program_writes_is_no_picture() -> None:
    assert pictures.remade(of_scans(20)) is not None
    assert pictures.remade(of_scans(pictures.SCANS_MOST)) is None
