"""Drafts: steps that are undone and done again, what others publish meanwhile, and how much is kept."""

import time
from typing import Any

import pytest

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.actions import dashboards, drafts
from metrics.actions.errors import Conflict, Forbidden, Invalid
from metrics.models import AuditEntry, Dashboard, Draft, Revision
from metrics.redis_state.connection import client
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def ada() -> Principal:
    return of_user(make.user("ada", is_staff=True))


@pytest.fixture
def ben() -> Principal:
    return of_user(make.user("ben", is_staff=True))


def edit(by: Principal, **changed: Any) -> drafts.State:
    return drafts.edit(by, "shop", changed, drafts.current(by, "shop").version)


def publish(by: Principal) -> Dashboard:
    return drafts.publish(by, "shop", drafts.current(by, "shop").version)


def test_steps_are_undone_and_done_again_also_after_publishing(ada: Principal) -> None:
    make.dashboard()
    edit(ada, title="A")
    state = edit(ada, title="B")
    assert (state.spec.title, state.undo, state.redo) == ("B", "Title is now 'B'.", "")
    assert state.summary == "Title is now 'B'."
    made = publish(ada)
    assert (made.title, made.revision) == ("B", 2)
    state = drafts.current(ada, "shop")
    assert (state.summary, state.is_behind) == ("", False)
    state = drafts.undo(ada, "shop", state.version)
    assert (state.spec.title, state.redo) == ("A", "Title is now 'B'.")
    state = drafts.undo(ada, "shop", state.version)
    assert (state.spec.title, state.undo) == ("Shop", "")
    assert drafts.undo(ada, "shop", state.version).spec.title == "Shop"
    state = drafts.redo(ada, "shop", state.version)
    assert state.spec.title == "A"
    state = edit(ada, title="C")  # what was undone can't be done again then
    assert state.redo == ""
    assert publish(ada).title == "C"


def test_nobody_sees_a_draft_and_publishing_is_one_revision_in_the_journal(ada: Principal, ben: Principal) -> None:
    make.dashboard()
    edit(ada, title="A")
    edit(ada, description="B")
    assert Dashboard.objects.get().title == "Shop"
    assert drafts.current(ben, "shop").spec.title == "Shop"
    publish(ada)
    assert [one.by for one in Revision.objects.all()][:1] == ["user ada"]
    assert AuditEntry.objects.filter(by="user ada", verb="change").count() == 1
    assert Revision.objects.count() == 2


def test_a_draft_without_a_change_follows_what_others_publish(ada: Principal) -> None:
    make.dashboard()
    seen = drafts.current(ada, "shop").version
    dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
    with pytest.raises(Conflict, match="Somebody published revision 2 meanwhile"):
        drafts.edit(ada, "shop", {"title": "A"}, seen)
    state = drafts.current(ada, "shop")
    assert (state.spec.title, state.is_behind, state.undo) == ("Store", False, "")


def test_a_draft_with_a_change_is_not_published_over_others(ada: Principal, ben: Principal) -> None:
    make.dashboard()
    edit(ada, title="A")
    edit(ben, description="B")
    publish(ben)
    state = drafts.current(ada, "shop")
    assert state.is_behind
    with pytest.raises(Conflict, match="Revision 2 by user ben"):
        drafts.publish(ada, "shop", state.version)
    with pytest.raises(Conflict, match="revision 2 meanwhile; choose once more"):
        drafts.merge_newest(ada, "shop", {}, state.version, 1)  # chosen before the second was there
    state = drafts.merge_newest(ada, "shop", {}, state.version, 2)
    assert (state.spec.title, state.spec.description, state.is_behind) == ("A", "B", False)
    state = drafts.undo(ada, "shop", state.version)
    assert (state.spec.description, state.is_behind) == ("", True)  # to publish this would undo what Ben published
    drafts.redo(ada, "shop", state.version)
    assert publish(ada).revision == 3


def test_a_choice_that_is_left_open_is_refused(ada: Principal) -> None:
    make.dashboard()
    edit(ada, title="A")
    dashboards.change(SYSTEM, "shop", {"title": "B"}, None)
    version = drafts.current(ada, "shop").version
    with pytest.raises(Invalid, match="The title of the dashboard: both of you changed it; choose a side"):
        drafts.merge_newest(ada, "shop", {}, version, 2)
    assert drafts.merge_newest(ada, "shop", {"field:title": "theirs"}, version, 2).spec.title == "B"


def test_another_tab_is_noticed_and_nothing_is_changed(ada: Principal) -> None:
    make.dashboard()
    seen = drafts.current(ada, "shop").version
    edit(ada, title="A")
    for change in (
        lambda: drafts.edit(ada, "shop", {"title": "B"}, seen),
        lambda: drafts.undo(ada, "shop", seen),
        lambda: drafts.publish(ada, "shop", seen),
    ):
        with pytest.raises(Conflict, match="in another tab"):
            change()
    assert drafts.current(ada, "shop").spec.title == "A"


def test_what_is_refused_makes_no_step(ada: Principal) -> None:
    make.dashboard()
    with pytest.raises(Invalid):
        edit(ada, title="")
    assert drafts.current(ada, "shop").undo == ""


def test_two_hundred_steps_can_be_undone_and_no_more_are_kept(ada: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drafts.STEPS_MOST == 200
    monkeypatch.setattr(drafts, "STEPS_MOST", 3)
    make.dashboard()
    for number in range(5):
        state = edit(ada, title=str(number))
    undone = []
    while state.undo:
        state = drafts.undo(ada, "shop", state.version)
        undone.append(state.spec.title)
    assert undone == ["3", "2", "1"]
    assert Draft.objects.get().steps.count() == 4


def test_others_are_named_while_they_are_at_it_or_have_changed_something(ada: Principal, ben: Principal) -> None:
    make.dashboard()
    drafts.current(ben, "shop")
    assert drafts.current(ada, "shop").others == (drafts.Other("ben", True, ""),)
    edit(ben, title="B")
    assert drafts.current(ada, "shop").others == (drafts.Other("ben", True, "Title is now 'B'."),)
    make.dashboard("other")
    client().flushall()
    assert drafts.current(ada, "shop").others == (drafts.Other("ben", False, "Title is now 'B'."),)
    assert drafts.current(ada, "other").others == ()


def test_only_drafts_without_a_change_are_forgotten(ada: Principal, ben: Principal) -> None:
    make.dashboard()
    state = edit(ada, title="A")
    drafts.undo(ada, "shop", state.version)
    edit(ben, title="B")
    drafts.forget_unchanged(time.time())
    assert Draft.objects.count() == 2
    drafts.forget_unchanged(time.time() + 90_000)
    assert [draft.user_id for draft in Draft.objects.all()] == [ben.pk]


def test_a_config_of_an_earlier_release_is_drafted_in_the_present_form(ada: Principal) -> None:
    make.dashboard()
    state = edit(ada, title="A")
    drafts.undo(ada, "shop", state.version)
    step = Draft.objects.get().steps.get(number=0)
    del step.spec["widgets"][0]["version"]
    del step.spec["description"]
    step.save()
    state = drafts.current(ada, "shop")
    assert (state.spec.description, state.spec.widgets[0].version) == ("", 1)


def test_tokens_have_no_drafts() -> None:
    make.dashboard()
    with pytest.raises(Forbidden, match="Only people have drafts"):
        drafts.current(SYSTEM, "shop")


def test_a_revision_from_before_there_were_tags_has_none(ada: Principal) -> None:
    make.dashboard()
    first = Revision.objects.get()
    del first.spec["tags"], first.spec["variables"]
    first.save()
    dashboards.change(SYSTEM, "shop", {"tags": ["eu"]}, None)
    state = drafts.restore(ada, "shop", 1, drafts.current(ada, "shop").version)
    assert state.spec.tags == []
    assert state.undo.startswith("Restored revision 1.")
