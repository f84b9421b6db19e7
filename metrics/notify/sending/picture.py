"""`python -m metrics.notify.sending.picture`: an SVG from standard input becomes a PNG on standard output.

In a process of its own: the library holds the interpreter's lock, and one that is too large ends the process.
"""

import resource
import subprocess
import sys
from pathlib import Path

FONT = Path(__file__).with_name("DejaVuSans.ttf")
FAMILY = "DejaVu Sans"
ZOOM = 2.0
MEMORY_BYTES = 512 * 1024**2
WITHIN_S = 8.0
ROOT = Path(__file__).parents[3]
SVG_MOST = 500_000


class NoPicture(Exception):
    """No picture was made; the message is one sentence."""


def png(drawing: str) -> bytes:
    """Return `drawing`, an SVG, as a PNG of twice its size. Raises NoPicture."""
    if len(drawing) > SVG_MOST:
        raise NoPicture("The drawing is too large.")
    command = [sys.executable, "-P", "-m", "metrics.notify.sending.picture"]
    try:
        made = subprocess.run(
            command,
            input=drawing.encode(),
            capture_output=True,
            timeout=WITHIN_S,
            cwd="/",
            env={"PYTHONPATH": str(ROOT)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoPicture(f"It took longer than {WITHIN_S:g} s.") from None
    if made.returncode or not made.stdout.startswith(b"\x89PNG"):
        raise NoPicture(f"The process that draws ended with {made.returncode}.")
    return made.stdout


def main() -> None:
    import resvg_py

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    made = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode(),
        zoom=ZOOM,
        skip_system_fonts=True,
        font_files=[str(FONT)],
        font_family=FAMILY,
        sans_serif_family=FAMILY,
    )
    sys.stdout.buffer.write(bytes(made))


if __name__ == "__main__":
    main()
