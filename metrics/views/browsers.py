"""Browsers in words, from what they say of themselves in `User-Agent`, where each names many others as well."""

import re

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""The first that is found: each is named by those above it as well."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Tizen", "a Samsung TV"),
    ("Web0S", "an LG TV"),
    ("Linux", "Linux"),
)
UNKNOWN = "An unknown browser"
PROGRAM = re.compile(r"[\w.-]{1,40}")


def name(agent: str) -> str:
    """Return a browser's name in words: Firefox on Linux; that of a program by its first word: curl."""
    browser = next((word for token, word in BROWSERS if f"{token}/" in agent), "")
    system = next((word for token, word in SYSTEMS if token in agent), "")
    program = PROGRAM.match(agent)
    if not browser and program and not agent.startswith("Mozilla/"):
        browser = program.group()
    return f"{browser or UNKNOWN} on {system}" if system else browser or UNKNOWN
