"""Pictures of dashboards over HTTP: what the editor's script is answered, and who is given which bytes how."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import links, pictures
from tests import make
from tests.pictures.test_pictures import drawn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def browser(name: str, **fields: bool) -> Client:
    made = Client()
    made.force_login(make.user(name, **fields))
    return made


def test_a_picture_is_uploaded_and_kept_by_browsers() -> None:
    make.dashboard()
    grace = browser("grace", is_staff=True)
    answer = grace.post("/d/shop/pictures/", {"file": SimpleUploadedFile("x.png", drawn("PNG"))})
    found = answer.json()
    assert (answer.status_code, found["width"], found["height"]) == (201, 40, 20)
    assert found["url"] == f"/d/shop/pictures/{found['hash']}/"
    got = browser("ada").get(found["url"])
    assert (got.status_code, got["Content-Type"]) == (200, "image/png")
    assert got["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (got["X-Content-Type-Options"], got["Content-Security-Policy"]) == (
        "nosniff",
        "sandbox; default-src 'none'",
    )


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (None, 422, "It is missing."),
        (b"<script>", 422, "This is no picture that can be read; PNG, JPEG, WebP and GIF can."),
        (b"x" * (pictures.BYTES_MOST + 1), 413, "A picture has at most 10 MB."),
    ],
)
def test_a_refusal_is_a_sentence(data: bytes | None, status: int, said: str) -> None:
    make.dashboard()
    sent = {} if data is None else {"file": SimpleUploadedFile("x", data)}
    answer = browser("grace", is_staff=True).post("/d/shop/pictures/", sent)
    assert (answer.status_code, answer.json()["detail"]) == (status, said)


def test_others_are_given_nothing() -> None:
    make.dashboard(teams=[make.team("ops")])
    kept = pictures.upload(SYSTEM, "shop", drawn("PNG"))
    path = f"/d/shop/pictures/{kept.hash}/"
    assert Client().get(path).status_code == 302
    assert Client().post("/d/shop/pictures/").status_code == 401
    ada = browser("ada")
    assert ada.get(path).status_code == 404
    make.dashboard("open")
    assert ada.get(path.replace("shop", "open")).status_code == 404
    sent = {"file": SimpleUploadedFile("x.png", drawn("PNG"))}
    assert ada.post("/d/open/pictures/", sent).status_code == 403


def test_a_link_to_its_dashboard_gets_a_picture_and_a_link_to_another_does_not() -> None:
    shop = make.dashboard()
    make.dashboard("other")
    made = pictures.upload(SYSTEM, "shop", drawn("PNG"))
    path = f"/d/shop/pictures/{made.hash}/"
    for slug, status in (("shop", 200), ("other", 302)):
        visitor = Client()
        visitor.post("/link/", {"secret": links.create(SYSTEM, slug, "lobby")[1]})
        assert visitor.get(path).status_code == status
    visitor = Client()
    link, secret = links.create(SYSTEM, "shop", "soon over")
    visitor.post("/link/", {"secret": secret})
    assert visitor.get("/d/shop/pictures/none/").status_code == 404
    links.revoke(SYSTEM, shop.slug, link.pk)
    assert visitor.get(path).status_code == 302
