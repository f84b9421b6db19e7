"""A picture: of a camera, a map or a plan, fetched again and again, or uploaded."""

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from metrics.sources.http_config import http_url
from metrics.widgets.base import Named, Still, WidgetKind
from metrics.widgets.freshness import NO_DATA, STILL, Freshness, freshness
from metrics.widgets.links import Href, url_over
from metrics.widgets.ranges import Window

FETCH_LEAST_S = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture that is there: its path `src`, empty if there is none, and its `width` and `height` in pixels.

    Of one that is fetched, `at` is when it came (Unix seconds), None if it never did, and `problem` says in a sentence
    why no newer one came.
    """

    src: str = ""
    width: int = 0
    height: int = 0
    at: float | None = None
    problem: str = ""


class ImageConfig(Still):
    """Config of a picture."""

    url: str = Field(default="", max_length=500, description="Address of a picture to fetch; http:// or https://.")
    picture: str = Field(
        default="",
        pattern="^([0-9a-f]{64})?$",
        title="Uploaded picture",
        description="An uploaded picture instead, by its hash: PNG, JPEG, WebP or GIF.",
        json_schema_extra={"suggest": "picture"},
    )
    fetch_every_s: int = Field(
        default=60, ge=FETCH_LEAST_S, le=86_400, description="How often it is fetched while somebody looks."
    )
    fit: Literal["contain", "cover"] = Field(
        default="contain", description="The whole picture in the tile, or as much of it as covers the tile."
    )
    alt: str = Field(
        default="",
        max_length=300,
        title="Alternative text",
        description="Words for those who don't see it; else the title.",
    )
    link: Href = Field(default="", description="Where a click on it leads: http, https, or a path here.")
    username: str = Field(default="", max_length=200, description="User to sign in as (Basic), where it is fetched.")
    password: str = Field(
        default="",
        max_length=4000,
        description="That user's password; kept so that nobody can read it.",
        json_schema_extra={"format": "password"},
    )
    _kept: Kept = PrivateAttr(default_factory=Kept)

    @field_validator("url")
    @classmethod
    def _requestable(cls, value: str) -> str:
        return http_url(value) if value else value

    @model_validator(mode="after")
    def _one_picture(self) -> Self:
        if bool(self.url) == bool(self.picture):
            raise ValueError("a picture is fetched from a url or uploaded: give one of them")
        return self

    @property
    def key(self) -> str:
        """Digest of the address and the credentials, which tells apart pictures to fetch; empty for an uploaded one."""
        parts = json.dumps([self.url, self.username, self.password])
        return hashlib.sha256(parts.encode()).hexdigest() if self.url else ""

    @property
    def kept(self) -> Kept:
        """The picture that there is."""
        return self._kept

    def give(self, kept: Kept) -> None:
        """Take the picture that there is."""
        self._kept = kept

    @property
    def hint(self) -> str:
        return self._kept.problem or "It is fetched as soon as somebody looks."

    def freshness(self, at: float) -> Freshness:
        if not self.url:
            return STILL
        return freshness(self._kept.at, self.fetch_every_s, at) if self._kept.src else NO_DATA


@dataclass(frozen=True, slots=True)
class ImageView:
    """View-model of `templates/widgets/image.html`.

    `src` is the path of the picture, empty if it is not there; `width` and `height` are its pixels, `alt` its words,
    empty for those of the title. `fit` is contain or cover. `link` is where it leads, empty for nowhere; `outside` says
    whether that is somewhere else. `problem` says why no newer one came, empty if nothing is wrong.
    """

    src: str
    width: int
    height: int
    alt: str
    fit: str
    link: str
    outside: bool
    problem: str


class Image(WidgetKind[ImageConfig]):
    """A picture: of a camera, a map or a plan, fetched again and again, or uploaded."""

    kind = "image"
    config_class = ImageConfig
    group = "page"
    size = (4, 3)
    windows_back = 0
    example: ClassVar = {"picture": "0" * 64}

    def view(self, config: ImageConfig, series: list[Named], window: Window) -> ImageView:
        kept = config.kept
        return ImageView(
            src=kept.src,
            width=kept.width,
            height=kept.height,
            alt=config.alt,
            fit=config.fit,
            link=url_over(config.link, window.range),
            outside=not config.link.startswith("/"),
            problem=kept.problem,
        )
