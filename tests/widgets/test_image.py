"""A picture: which configs are taken, how current it is, and what is drawn while it is not there."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.widgets.image import Image, ImageConfig, Kept
from tests.widgets.make import AT, window

HASH = "0123456789abcdef" * 4


def config(kept: Kept | None = None, **fields: Any) -> ImageConfig:
    made = ImageConfig.model_validate(fields)
    if kept:
        made.give(kept)
    return made


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give one of them"),
        ({"url": "https://example.org/", "picture": HASH}, "give one of them"),
        ({"url": "file:///etc/passwd"}, "it has to begin with http:// or https://"),
        ({"url": "https://ada:secret@example.org/"}, "it may hold no password; give username and password"),
        ({"picture": "../x"}, "pattern"),
        ({"url": "https://example.org/", "fetch_every_s": 1}, "greater than or equal to 5"),
        ({"picture": HASH, "link": "javascript:alert(1)"}, "a link begins with"),
    ],
)
def test_what_can_be_no_picture_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**fields)


@pytest.mark.parametrize(
    ("age_s", "state"), [(None, "nodata"), (0, "fresh"), (119, "fresh"), (200, "late"), (900, "stale")]
)
def test_a_fetched_picture_is_as_current_as_its_period_says(age_s: float | None, state: str) -> None:
    kept = Kept("/p", 4, 3, AT - age_s) if age_s is not None else None
    assert config(kept, url="https://example.org/").freshness(AT).state == state


def test_an_uploaded_picture_is_never_late() -> None:
    assert config(Kept("/p", 4, 3), picture=HASH).freshness(AT).state == "still"


def test_it_is_drawn_with_its_words_and_its_link() -> None:
    made = config(Kept("/p", 4, 3), picture=HASH, alt="The yard", fit="cover", link="/d/yard/")
    shown = Image().view(made, [], window())
    assert (shown.src, shown.width, shown.height, shown.alt, shown.fit) == ("/p", 4, 3, "The yard", "cover")
    assert (shown.link, shown.outside) == ("/d/yard/?range=1h", False)


def test_the_key_tells_addresses_and_credentials_apart() -> None:
    url = "https://example.org/"
    others: list[dict[str, Any]] = [{}, {"username": "a"}, {"password": "b"}, {"alt": "x"}]
    keys = {config(url=url, **more).key for more in others}
    assert len(keys) == 3
    assert config(picture=HASH).key == ""
