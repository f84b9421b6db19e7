"""The pages of annotations, as a person uses them."""

import re
from typing import Any

import pytest
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.access.sharing import Access
from metrics.actions import annotations
from metrics.models import Annotation
from metrics.times import datetime_of
from metrics.views import annotations as pages
from tests import make
from tests.html_form import form
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NEW = "/annotations/new/"


@pytest.fixture
def editor(client: Client) -> Client:
    client.force_login(make.user("eve", is_staff=True))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def typed(editor: Client, path: str, **changes: Any) -> dict[str, Any]:
    return {**form(text(editor.get(path)), path), **changes}


def test_one_is_added_changed_and_deleted(editor: Client) -> None:
    assert "There is no annotation yet" in text(editor.get("/annotations/"))
    given = typed(editor, NEW, text="Shop <4.2>", tags="shop, deploy,")
    assert editor.post(NEW, given).status_code == 302
    row = Annotation.objects.get()
    assert (row.text, annotations.tags_of(row), row.for_everyone) == ("Shop <4.2>", ["deploy", "shop"], True)
    page = text(editor.get("/annotations/"))
    assert "Shop &lt;4.2&gt;" in page
    assert f'id="annotation-{row.pk}"' in page
    edit = f"/annotations/{row.pk}/edit/"
    until = typed(editor, edit)["at"].replace("2026", "2027")
    assert editor.post(edit, typed(editor, edit, until=until, tags="")).status_code == 302
    row.refresh_from_db()
    assert (row.until and row.until.year, annotations.tags_of(Annotation.objects.get())) == (row.at.year + 1, [])
    delete = f"/annotations/{row.pk}/delete/"
    assert "removed from charts of the past" in text(editor.get(delete))
    assert editor.post(delete).status_code == 302
    assert not Annotation.objects.exists()


def test_times_that_are_left_alone_stay_exact(editor: Client) -> None:
    Annotation.objects.create(text="x", at=datetime_of(AT + 0.25), until=datetime_of(AT + 9.75))
    edit = f"/annotations/{Annotation.objects.get().pk}/edit/"
    assert editor.post(edit, typed(editor, edit, text="y")).status_code == 302
    row = Annotation.objects.get()
    assert (row.text, row.at, row.until) == ("y", datetime_of(AT + 0.25), datetime_of(AT + 9.75))


def test_what_is_wrong_is_said_beside_it_and_what_was_typed_stays(editor: Client) -> None:
    given = typed(editor, NEW, text="", until="2020-01-01T00:00", tags="x" * 51)
    response = editor.post(NEW, given)
    assert response.status_code == 422
    page = text(response)
    assert "3 things to put right" in page
    assert "has to be after the beginning" in page
    assert "x" * 51 in page
    assert editor.post(NEW, {**given, "at": "soon"}).status_code == 422


def test_the_list_is_chosen_by_tag_and_has_pages(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LISTED", 2)
    for number in range(3):
        annotations.create(SYSTEM, f"Number {number}", tags=["a & b"] if number else ["c"])
    first = text(editor.get("/annotations/"))
    assert "Number 2" in first
    assert "Number 0" not in first
    second = text(editor.get(f"/annotations/?before={Annotation.objects.all()[1].pk}"))
    assert "Number 0" in second
    assert "Older" not in second
    chosen = text(editor.get("/annotations/?tag=a+%26+b"))
    assert "Number 1" in chosen
    assert "Number 0" not in chosen
    assert f"{NEW}?tag=a%20%26%20b" in chosen
    assert (
        typed(
            editor,
            f"{NEW}?tag=c",
        )["tags"]
        == "c"
    )
    assert "Nothing has the tag x." in text(editor.get("/annotations/?tag=x"))
    for query in ("before=999999", "from=999999", "before=x", "before=%00", "from=%00"):
        assert "Number 2" in text(editor.get(f"/annotations/?{query}")), query
    assert "Nothing has the tag x." in text(editor.get("/annotations/?tag=%00x"))
    assert 'name="tags" value="c"' in text(editor.get(f"{NEW}?tag=%00c"))
    for number, others in [(2, "1"), (1, "0"), (0, "")]:
        row = Annotation.objects.get(text=f"Number {number}")
        page = text(editor.get(f"/annotations/?from={row.pk}"))
        assert re.findall(r"<bdi>Number (.)", page) == [str(number), *others]
        assert ">Newest<" in page


def test_a_chosen_tag_is_among_those_to_choose(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "KNOWN_TAGS_MOST", 1)
    annotations.create(SYSTEM, "x", tags=["a", "b"])
    assert "<option selected>b</option>" in text(editor.get("/annotations/?tag=b"))


def test_the_form_changes_what_was_typed_and_nothing_else(editor: Client) -> None:
    row = annotations.create(SYSTEM, "Test", tags=["a"])
    edit = f"/annotations/{row.pk}/edit/"
    end = datetime_of(row.at.timestamp() + 9)
    given = typed(editor, edit, tags="a, b")
    annotations.change(SYSTEM, row.pk, {"until": end, "text": "Load test"})
    refused = editor.post(edit, {**given, "tags": "x" * 51})
    assert refused.status_code == 422
    assert editor.post(edit, {**form(text(refused), edit), "tags": "a, b"}).status_code == 302
    row.refresh_from_db()
    assert (row.text, row.until, annotations.tags_of(Annotation.objects.get())) == ("Load test", end, ["a", "b"])
    assert editor.post(edit, typed(editor, edit, until="")).status_code == 302
    assert Annotation.objects.get().until is None


def test_an_editor_of_one_team_changes_what_others_share(client: Client) -> None:
    olga = make.user("olga", is_staff=True)
    shop = [make.team("ops", olga), make.team("shop")][1]
    row = annotations.create(SYSTEM, "Ours", access=Access(everyone=False, teams=["ops", "shop"]))
    client.force_login(olga)
    edit = f"/annotations/{row.pk}/edit/"
    given = typed(client, edit, text="Of us all", teams=["ops", "shop"], was_teams=["ops", "shop"])
    assert client.post(edit, given).status_code == 302
    assert client.post(edit, {**given, "teams": ["shop"]}).status_code == 302
    row.refresh_from_db()
    assert (row.text, set(row.teams.all())) == ("Of us all", {shop})


def test_viewers_look_and_change_nothing(client: Client) -> None:
    make.team("ops")
    seen = annotations.create(SYSTEM, "For all")
    hidden = annotations.create(SYSTEM, "Secret", access=Access(everyone=False, teams=["ops"]))
    client.force_login(make.user("vera"))
    page = text(client.get("/annotations/"))
    assert "For all" in page
    assert "Secret" not in page
    assert "Add an annotation" not in page
    assert "Edit" not in page
    assert [client.get(f"/annotations/{seen.pk}/{what}/").status_code for what in ("edit", "delete")] == [403, 403]
    assert client.get(f"/annotations/{hidden.pk}/edit/").status_code == 404
    assert client.post(NEW, {"text": "x"}).status_code == 403
