"""Pictures that strangers send, made anew: what a browser is given was written by Pillow, pixel by pixel.

Nothing of the bytes that came survives, and so neither do scripts, archives or places that were hidden in them.
Animations stay animated if they are small enough, and become their first frame if not.
"""

import io
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, ImageSequence

PIXELS_MOST = 40_000_000
SIDE_MOST = 2560
FRAMES_MOST = 300
ANIMATED_PIXELS_MOST = 25_000_000
"""Of all frames together."""
SCANS_MOST = 400
"""Of a progressive JPEG: each goes over the whole picture, and takes 60 bytes. Programs write ten or so; what phones
append to a picture has their mark by chance, once in 64 kB."""

TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp", "AVIF": "image/avif"}
EXTENSIONS = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/avif": (".avif",),
}
"""The extensions of files by type, the usual one first."""
_SAVED: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 88},
    "GIF": {"optimize": False},
    "WEBP": {"quality": 88, "method": 2},
    "AVIF": {"quality": 75, "speed": 9},
}
_ANIMATED: dict[str, dict[str, Any]] = {"GIF": {"disposal": 2}, "PNG": {"blend": 0}}

Image.MAX_IMAGE_PIXELS = PIXELS_MOST
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
_one_at_a_time = threading.Lock()
"""A large picture takes 150 MB while it is made anew: many at once would be more than a process has."""


class TooLargeError(Exception):
    """A picture has more than `PIXELS_MOST` pixels; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: its bytes, its MIME type, and its size in pixels."""

    data: bytes
    type: str
    width: int
    height: int


def remade(data: bytes, *, still: bool = False) -> Picture | None:
    """Return the picture in `data`, made anew; None for what is none, or none that can be read.

    It is upright, without metadata, and its sides have at most `SIDE_MOST` pixels; of an animation that is to be
    `still`, it is the first frame. Raises TooLargeError.
    """
    try:
        with _one_at_a_time, Image.open(io.BytesIO(data), formats=tuple(TYPES)) as image:
            if image.format in ("JPEG", "MPO"):
                _check_scans(data)
            if image.width * image.height > PIXELS_MOST:
                raise Image.DecompressionBombError
            return _remade(image, still)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLargeError(f"A picture has at most {PIXELS_MOST // 1_000_000} megapixels.") from None
    except Exception:  # whatever a decoder makes of bytes that lie
        return None


def _check_scans(jpeg: bytes) -> None:
    """Raise ValueError for more scans than a picture has. Their mark does not occur in what they hold."""
    if jpeg.count(b"\xff\xda") > SCANS_MOST:
        raise ValueError("too many scans")


def _remade(image: Image.Image, still: bool) -> Picture:
    kind = image.format if image.format in TYPES else "JPEG"  # of which MPO is one, with a second picture behind it
    frames, durations = ([_plain(image)], []) if still else _frames(image)
    animated: dict[str, Any] = {}
    if len(frames) > 1:
        animated = {"save_all": True, "append_images": frames[1:], "duration": durations, **_ANIMATED.get(kind, {})}
        if isinstance(image.info.get("loop"), int):
            animated["loop"] = image.info["loop"]
    written = io.BytesIO()
    frames[0].save(written, kind, **_SAVED[kind], **animated)
    return Picture(written.getvalue(), TYPES[kind], *frames[0].size)


def _frames(image: Image.Image) -> tuple[Sequence[Image.Image], list[int]]:
    """Return all frames and how long each is shown, in milliseconds; or else the first, if it is too much."""
    if not getattr(image, "is_animated", False) or image.format not in TYPES:
        return [_plain(image)], []
    frames, durations = list[Image.Image](), list[int]()
    most = min(FRAMES_MOST, ANIMATED_PIXELS_MOST // (image.width * image.height))
    for frame in ImageSequence.Iterator(image):
        if len(frames) >= most:
            return frames[:1] or [_plain(frame)], []
        frames.append(_plain(frame.copy()))
        durations.append(int(frame.info.get("duration", 100)))  # known once the frame was read
    return frames, durations


def _plain(image: Image.Image) -> Image.Image:
    """Return pixels and nothing else: upright, not too large, in colours that every format has."""
    image.thumbnail((SIDE_MOST, SIDE_MOST), reducing_gap=2.0)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits of grey, which converting would cut off at 255
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    transparent = image.has_transparency_data
    plain = image if image.mode == "L" and not transparent else image.convert("RGBA" if transparent else "RGB")
    plain = plain.copy()
    plain.info = {}
    return plain
