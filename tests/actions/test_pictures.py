"""Pictures of dashboards: fetched once for everybody, uploaded by editors, and removed when nothing names them."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import dashboard_files, dashboards, drafts, pictures
from metrics.actions.errors import Forbidden, Invalid, Missing, TooLarge
from metrics.live.topic import variant as variant_of
from metrics.models import Dashboard, Picture, PictureFetch, Widget
from metrics.sources import network_policy
from metrics.times import datetime_of
from metrics.widgets.render import WidgetView, widget_views
from tests import make
from tests.pictures.test_pictures import animated, bomb, drawn
from tests.sources.web import Handler, serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

DAY_S = 86_400.0


class Camera(Handler):
    """Answers as its class says; it counts."""

    picture: bytes = b""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        match self.path.partition("?")[0]:
            case "/now.jpg":
                self.answer(200, self.picture)
            case "/moved":
                self.answer(302, Location="http://127.0.0.2:1/now.jpg")
            case "/large":
                self.answer(200, b"x" * (pictures.BYTES_MOST + 1))
            case "/text":
                self.answer(200, "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
            case "/bomb":
                self.answer(200, bomb(9000, 9000))
            case _:
                self.answer(404)


@pytest.fixture(scope="module")
def camera() -> Iterator[str]:
    with serving(Camera) as url:
        yield url


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Camera, "picture", drawn("JPEG"))
    Camera.asked.clear()


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have addresses of this machine count as public."""
    monkeypatch.setattr(network_policy, "limited", nullcontext)


def image(**config: Any) -> dict[str, Any]:
    return {"kind": "image", "title": "Yard", "config": config}


def wanted(dashboard: Dashboard, url: str, **more: str) -> pictures.Wanted:
    return pictures.Wanted(dashboard.pk, url, **more)


def view(dashboard: Dashboard, at: float) -> WidgetView:
    return widget_views(list(dashboard.widgets.all()), "1h", at)[0]


def at(fetch: PictureFetch) -> float:
    assert fetch.fetched_at is not None
    return fetch.fetched_at.timestamp()


@pytest.mark.usefixtures("allowed")
class TestFetching:
    def test_a_picture_is_made_anew_and_shown_until_it_is_late(self, camera: str) -> None:
        made = make.dashboard(widgets=[image(url=f"{camera}/now.jpg?key=secret", fetch_every_s=10)])
        assert (view(made, 0).freshness.state, view(made, 0).hint[:16]) == ("nodata", "It is fetched as")
        pictures.fetch(wanted(made, f"{camera}/now.jpg?key=secret"))
        fetch = PictureFetch.objects.get()
        kept = Picture.objects.get()
        assert (kept.type, kept.width, kept.height, fetch.picture, fetch.problem) == ("image/jpeg", 40, 20, kept, "")
        states = {after_s: view(made, at(fetch) + after_s).freshness.state for after_s in (0, 25, 60)}
        assert states == {0: "fresh", 25: "late", 60: "stale"}
        shown: Any = view(made, at(fetch)).view
        assert shown.src == f"/d/shop/pictures/{kept.hash}/"
        assert view(made, at(fetch) - 60).hint == "Of a picture that is fetched, only the newest is kept."

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("/gone?key=secret", "/gone answered 404 Not Found."),
            ("/large", "/large answered something that is longer than 10240 KiB."),
            ("/text", "/text answered no picture that can be read: no PNG, JPEG, WebP or GIF."),
            ("/bomb", "A picture has at most 40 megapixels."),
        ],
    )
    def test_what_goes_wrong_is_said_in_a_sentence_without_keys(self, camera: str, path: str, said: str) -> None:
        made = make.dashboard(widgets=[image(url=camera + path)])
        pictures.fetch(wanted(made, camera + path))
        problem = PictureFetch.objects.get().problem
        assert problem == (f"{camera}{said}" if said.startswith("/") else said)
        assert (view(made, make.AT).hint, view(made, make.AT).freshness.state) == (problem, "nodata")

    def test_the_picture_before_stays_with_what_is_wrong(self, camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
        made = make.dashboard(widgets=[image(url=f"{camera}/now.jpg")])
        pictures.fetch(wanted(made, f"{camera}/now.jpg"))
        monkeypatch.setattr(Camera, "picture", b"no picture")
        pictures.fetch(wanted(made, f"{camera}/now.jpg"))
        shown: Any = view(made, at(PictureFetch.objects.get())).view
        assert shown.src
        assert shown.problem.endswith("answered no picture that can be read: no PNG, JPEG, WebP or GIF.")

    def test_a_new_picture_has_a_new_address_and_the_old_one_goes_later(
        self, camera: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = make.dashboard(widgets=[image(url=f"{camera}/now.jpg")])
        pictures.fetch(wanted(made, f"{camera}/now.jpg"))
        old = Picture.objects.get()
        monkeypatch.setattr(Camera, "picture", drawn("PNG"))
        pictures.fetch(wanted(made, f"{camera}/now.jpg"))
        new = Picture.objects.exclude(pk=old.pk).get()
        assert PictureFetch.objects.get().picture == new
        pictures.prune(old.at.timestamp() + 660)
        assert list(Picture.objects.all()) == [new]

    def test_open_pages_have_it_drawn(self, camera: str) -> None:
        made = make.dashboard(widgets=[make.widget(), image(url=f"{camera}/now.jpg")])
        variant = make.variant()
        make.watch(variant, now=time.time())
        pictures.fetch(wanted(made, f"{camera}/now.jpg"))
        assert set(make.marks(variant)) == {"yard", "@"}

    def test_a_password_is_sent_and_never_stored_as_it_is(self, camera: str) -> None:
        url = f"{camera}/now.jpg"
        made = make.dashboard(widgets=[image(url=url, username="ada", password="open sesame")])
        config = made.widgets.get().config
        assert config["password"].startswith("sealed:")
        assert "sesame" not in dashboard_files.text_of(dashboards.spec_of(made))
        pictures.fetch(wanted(made, url, username="ada", password=config["password"]))
        assert Camera.asked == ["Basic YWRhOm9wZW4gc2VzYW1l"]
        pictures.fetch(wanted(made, f"{camera.replace('127', '127.0')}/x", password=config["password"]))
        problems = {one.problem for one in PictureFetch.objects.all()}
        assert problems == {"", "The password of this picture is for another address; type it again."}
        chosen = {"url": "https://$host/", "password": "x"}
        with pytest.raises(Invalid, match="it is for one host") as refused:
            dashboards.change_widget(SYSTEM, "shop", "yard", {"config": chosen}, None)
        assert refused.value.field == "widgets.0.config.password"
        other = {"url": "https://example.org/", "username": "ada", "password": config["password"]}
        with pytest.raises(Invalid, match="it was given for another address; type it again"):
            dashboards.change_widget(SYSTEM, "shop", "yard", {"config": other}, None)


def test_a_picture_comes_only_from_where_everybodys_sources_may_connect_to(camera: str) -> None:
    made = make.dashboard(widgets=[image(url=f"{camera}/now.jpg")])
    pictures.fetch(wanted(made, f"{camera}/now.jpg"))
    assert PictureFetch.objects.get().problem.startswith("The address of 127.0.0.1 is ")
    assert Camera.asked == []


def test_a_redirect_is_checked_as_well(camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_policy, "kind_of", lambda address: "" if address == "127.0.0.1" else "loopback")
    made = make.dashboard(widgets=[image(url=f"{camera}/moved")])
    pictures.fetch(wanted(made, f"{camera}/moved"))
    assert PictureFetch.objects.get().problem.startswith("The address of 127.0.0.2 is loopback")


class TestDue:
    def test_each_is_due_once_in_its_period_while_somebody_looks(self) -> None:
        url = "https://example.org/$host.jpg"
        hosts = [{"name": "host", "values": ["a", "b"]}]
        widgets = [image(url=url, fetch_every_s=10), image(url=url, fetch_every_s=60), image(picture="0" * 64)]
        made = dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop", "variables": hosts, "widgets": widgets})
        assert pictures.due(make.AT) == []
        variant = variant_of(made.pk, "1h")
        make.watch(variant, variant_of(made.pk, "6h"), now=make.AT)
        expected = [(wanted(made, "https://example.org/a.jpg"), 10)]
        assert [pictures.due(make.AT + after_s) for after_s in (0, 9, 10)] == [expected, [], expected]

    def test_of_a_draft_it_is_that_of_the_defaults(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        monkeypatch.setattr(pictures, "_send", lambda wanted: asked.append(wanted.url))
        monkeypatch.setattr(transaction, "on_commit", lambda run: run())
        by = of_user(make.user("grace", is_staff=True))
        make.dashboard()
        seen = drafts.current(by, "shop").version
        hosts = [{"name": "host", "values": ["a", "b"]}]
        widgets = [image(url="https://example.org/$host.jpg")]
        drafts.edit(by, "shop", {"variables": hosts, "widgets": widgets}, seen)
        assert asked == ["https://example.org/a.jpg"]

    def test_in_a_repeated_section_it_is_that_of_each_value(self) -> None:
        hosts = [{"name": "host", "values": ["a", "b"], "all": True}]
        section = {"kind": "section", "title": "$host", "w": 12, "h": 1, "config": {}, "repeat": "host"}
        widgets = [section, image(url="https://example.org/$host.jpg")]
        made = dashboards.create(SYSTEM, {"slug": "shop", "title": "Shop", "variables": hosts, "widgets": widgets})
        make.watch(variant_of(made.pk, "1h"), now=make.AT)
        found = {one.url for one, _ in pictures.due(make.AT)}
        assert found == {"https://example.org/a.jpg", "https://example.org/b.jpg"}


class TestUploads:
    def test_editors_upload_and_the_same_is_kept_once(self) -> None:
        made = make.dashboard()
        kept = pictures.upload(SYSTEM, "shop", drawn("PNG"))
        assert pictures.upload(SYSTEM, "shop", drawn("PNG")) == kept
        assert pictures.find(of_user(make.user()), "shop", kept.hash) == kept
        dashboards.add_widget(SYSTEM, "shop", image(picture=kept.hash), None)
        found = widget_views(list(made.widgets.filter(kind="image")), "1h", make.AT)[0]
        shown: Any = found.view
        assert (shown.src, found.freshness.state) == (f"/d/shop/pictures/{kept.hash}/", "still")

    def test_an_animation_stands_still(self) -> None:
        make.dashboard()
        kept = pictures.upload(SYSTEM, "shop", animated("GIF", 3))
        assert len(bytes(kept.data)) < len(animated("GIF", 3))

    @pytest.mark.parametrize(
        ("data", "error", "said"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Invalid, "no picture that can be read"),
            (b"x" * (pictures.BYTES_MOST + 1), TooLarge, "at most 10 MB"),
            (bomb(9000, 9000), TooLarge, "at most 40 megapixels"),
        ],
    )
    def test_others_are_refused(self, data: bytes, error: type[Exception], said: str) -> None:
        make.dashboard()
        with pytest.raises(error, match=said):
            pictures.upload(SYSTEM, "shop", data)
        assert not Picture.objects.exists()

    def test_the_pictures_of_a_dashboard_have_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make.dashboard("full")
        make.dashboard()
        kept = pictures.upload(SYSTEM, "shop", drawn("PNG"))
        monkeypatch.setattr(pictures, "UPLOADS_BYTES_MOST", 10)
        with pytest.raises(TooLarge, match="no room for it"):
            pictures.upload(SYSTEM, "full", drawn("PNG"))
        copy = {"slug": "copy", "title": "Copy", "widgets": [image(picture=kept.hash)]}
        with pytest.raises(TooLarge, match="no room for all that are named"):
            dashboards.create(SYSTEM, copy)
        Picture.objects.update(uploaded=False)
        with pytest.raises(TooLarge, match="no room for it"):
            pictures.upload(SYSTEM, "shop", drawn("PNG"))
        assert not Picture.objects.filter(uploaded=True).exists()

    def test_viewers_upload_nothing_and_others_see_nothing(self) -> None:
        make.dashboard(teams=[make.team("ops", grace := make.user("grace", is_staff=True))])
        kept = pictures.upload(of_user(grace), "shop", drawn("PNG"))
        stranger = of_user(make.user("ada"))
        with pytest.raises(Missing):
            pictures.find(stranger, "shop", kept.hash)
        with pytest.raises(Missing):
            pictures.upload(stranger, "shop", b"")
        make.dashboard("open")
        with pytest.raises(Forbidden):
            pictures.upload(stranger, "open", drawn("PNG"))

    def test_a_copy_of_a_dashboard_has_its_pictures_if_one_may_see_them(self) -> None:
        grace = of_user(make.user("grace", is_staff=True))
        make.dashboard(teams=[make.team("ops", make.user("ops", is_staff=True))])
        kept = pictures.upload(SYSTEM, "shop", drawn("PNG"))
        dashboards.add_widget(SYSTEM, "shop", image(picture=kept.hash), None)
        copied = dashboards.duplicate(SYSTEM, "shop", "copy", "Copy")
        assert copied.pictures.get().hash == kept.hash
        theirs = {"slug": "theirs", "title": "Theirs", "widgets": [image(picture=kept.hash)]}
        Picture.objects.filter(dashboard=copied).delete()
        made = dashboards.create(grace, theirs)
        assert not made.pictures.exists()
        shown: Any = view(made, make.AT).view
        assert shown.problem == "This picture is not here: upload it again."

    def test_it_is_kept_as_long_as_something_names_it_that_can_be_restored(self) -> None:
        make.dashboard()
        user = make.user("grace", is_staff=True)
        by = of_user(user)
        draft, published, neither = (pictures.upload(by, "shop", drawn("PNG", (n, n))) for n in (3, 4, 5))
        dashboards.add_widget(by, "shop", image(picture=published.hash), None)
        dashboards.delete_widget(by, "shop", "yard", None)
        state = drafts.current(by, "shop")
        drafts.add_widget(by, "shop", image(picture=draft.hash), state.version)
        now = neither.at.timestamp()
        pictures.prune(now)
        assert Picture.objects.count() == 3
        pictures.prune(now + DAY_S + 60)
        assert set(Picture.objects.values_list("pk", flat=True)) == {draft.pk, published.pk}
        drafts.discard(by, "shop")
        pictures.prune(now + DAY_S + 60)
        assert list(Picture.objects.values_list("pk", flat=True)) == [published.pk]


def test_fetches_of_long_ago_are_forgotten() -> None:
    made = make.dashboard()
    PictureFetch.objects.create(dashboard=made, key="x", tried_at=datetime_of(make.AT) - timedelta(days=8))
    pictures.prune(make.AT)
    assert not PictureFetch.objects.exists()
    assert Widget.objects.exists()
