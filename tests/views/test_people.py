"""The pages of users, teams, tokens and sharing: who opens them, what is refused, and secrets that are shown once."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from structlog.testing import capture_logs

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, sources, users
from metrics.models import AuditEntry, Invitation, Team, Token
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

BOLD = "<b>x</b>"
ESCAPED = "&lt;b&gt;x&lt;/b&gt;"


@pytest.fixture
def everyone() -> dict[str, Client]:
    """A browser of each role; the editor and the viewer are in no team."""
    made = {"administrator": make.admin(), "editor": make.user("eve", is_staff=True), "viewer": make.user("ada")}
    browsers = {"nobody": Client(raise_request_exception=False)}
    for role, user in made.items():
        browsers[role] = Client()
        browsers[role].force_login(user)
    return browsers


@pytest.fixture
def admin(everyone: dict[str, Client]) -> Client:
    return everyone["administrator"]


def text(response: Any) -> str:
    return str(response.content.decode())


def made() -> dict[str, int]:
    """Make one of each thing that has a page, and return their ids."""
    users.invite(SYSTEM, "viewer")
    make.dashboard("shop")
    make.token("backup", "read")
    ids = {"team": make.team("ops").pk, "source": make.source().pk, "user": User.objects.get(username="ada").pk}
    return {**ids, "invitation": Invitation.objects.get().pk}


ROLES = ("nobody", "viewer", "editor", "administrator")


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/access/users/", (302, 403, 403, 200)),
        ("/access/users/{user}/", (302, 403, 403, 200)),
        ("/access/teams/", (302, 200, 200, 200)),
        ("/access/teams/{team}/", (302, 403, 403, 200)),
        ("/access/teams/{team}/delete/", (302, 403, 403, 200)),
        ("/access/tokens/", (302, 403, 200, 200)),
        ("/d/shop/access/", (302, 403, 200, 200)),
        ("/sources/{source}/access/", (302, 403, 200, 200)),
        ("/join/", (200, 200, 200, 200)),
        ("/access/users/987654321/", (302, 403, 403, 404)),
        ("/access/teams/987654321/", (302, 403, 403, 404)),
        ("/d/none/access/", (302, 404, 404, 404)),
        ("/sources/987654321/access/", (302, 404, 404, 404)),
    ],
)
def test_a_page_opens_for_those_whom_it_is_for(
    everyone: dict[str, Client], path: str, statuses: tuple[int, ...]
) -> None:
    path = path.format(**made())
    assert tuple(everyone[role].get(path).status_code for role in ROLES) == statuses


@pytest.mark.parametrize(
    ("path", "typed", "statuses"),
    [
        ("/access/users/invite/", {"role": "admin"}, (302, 403, 403, 200)),
        ("/access/users/{user}/", {"role": "administrator", "is_active": "on"}, (302, 403, 403, 302)),
        ("/access/invitations/{invitation}/withdraw/", {}, (302, 403, 403, 302)),
        ("/access/teams/", {"name": "night"}, (302, 403, 403, 302)),
        ("/access/teams/{team}/", {"name": "day"}, (302, 403, 403, 302)),
        ("/access/teams/{team}/delete/", {}, (302, 403, 403, 302)),
        ("/access/tokens/new/", {"name": "bot", "scope": "read"}, (302, 403, 422, 200)),
        ("/access/tokens/face/", {"name": "backup", "face": "🤖"}, (302, 403, 404, 302)),
        ("/access/tokens/revoke/", {"name": "backup"}, (302, 403, 404, 302)),
        ("/d/shop/access/", {"everyone": "on"}, (302, 403, 302, 302)),
        ("/sources/{source}/access/", {"everyone": "on"}, (302, 403, 302, 302)),
    ],
)
def test_a_post_is_taken_from_those_who_may(
    everyone: dict[str, Client], path: str, typed: dict[str, str], statuses: tuple[int, ...]
) -> None:
    path = path.format(**made())
    typed = typed | ({"role": "administrator"} if "role" in typed else {})
    for role, status in zip(ROLES, statuses, strict=True):
        entries = AuditEntry.objects.count()
        response = everyone[role].post(path, typed)
        assert (role, response.status_code) == (role, status)
        if role == "nobody":
            assert response["Location"] == f"/sign-in/?next={path}"
        if status in (403, 404, 422) or role == "nobody":
            assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    "path", ["/access/users/invite/", "/access/teams/", "/access/tokens/new/", "/d/shop/access/", "/join/"]
)
def test_a_form_of_another_site_is_refused(everyone: dict[str, Client], path: str) -> None:
    made()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="root"))
    before = AuditEntry.objects.count()
    assert browser.post(path, {"name": "bot", "scope": "read", "role": "viewer"}).status_code == 403
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    "path",
    [
        "/access/users/invite/",
        "/access/invitations/1/withdraw/",
        "/access/tokens/new/",
        "/access/tokens/face/",
        "/access/tokens/revoke/",
    ],
)
def test_what_only_changes_is_no_page(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 405


@pytest.mark.parametrize(
    ("path", "typed", "field", "said"),
    [
        ("/access/teams/", {"name": ""}, "name", "This field is required."),
        ("/access/teams/", {"name": "ops"}, "name", "There is a team 'ops' already."),
        ("/access/teams/", {"name": "x" * 101}, "name", "at most 100 characters (it has 101)"),
        ("/access/teams/", {"name": "a\x00b"}, "name", "Null characters are not allowed."),
        ("/access/teams/{team}/", {"name": "night", "members": ["999"]}, "members", "999 is not one of the available"),
        ("/access/users/invite/", {"role": "king"}, "role", "king is not one of the available choices."),
        ("/access/users/invite/", {"role": "viewer", "teams": ["no"]}, "teams", "no is not one of the available"),
        ("/access/users/invite/", {"role": "viewer", "note": "x" * 101}, "note", "at most 100 characters"),
        ("/access/users/{root}/", {"role": "viewer", "is_active": "on"}, "role", "root is the only administrator"),
        ("/access/tokens/new/", {"name": "", "scope": "read"}, "name", "This field is required."),
        ("/access/tokens/new/", {"name": "backup", "scope": "read"}, "name", "There is a token 'backup' already"),
        ("/access/tokens/new/", {"name": "bot", "scope": "all"}, "scope", "all is not one of the available choices."),
        ("/access/tokens/new/", {"name": "bot", "scope": "read", "days": "8"}, "days", "8 is not one of the available"),
        ("/access/tokens/new/", {"name": "b", "scope": "admin", "teams": ["ops"]}, "teams", "is bound to no team."),
        ("/d/shop/access/", {"teams": ["none"]}, "teams", "none is not one of the available choices."),
        ("/sources/{source}/access/", {"teams": ["none"]}, "teams", "none is not one of the available choices."),
    ],
)
def test_nonsense_gets_a_sentence_beside_its_field_and_changes_nothing(
    admin: Client, path: str, typed: dict[str, Any], field: str, said: str
) -> None:
    ids = {**made(), "root": User.objects.get(username="root").pk}
    before = AuditEntry.objects.count()
    response = admin.post(path.format(**ids), typed)
    assert response.status_code == 422
    beside = re.search(rf'<span class="field-error" id="id_{field}_error">([^<]*)</span>', text(response))
    assert beside
    assert said in beside[1].replace("&#x27;", "'")
    assert AuditEntry.objects.count() == before


class TestSecrets:
    def test_an_invitation_is_shown_once_and_is_in_no_url_and_no_log(self, admin: Client) -> None:
        with capture_logs() as logs:
            page = admin.post("/access/users/invite/", {"role": "editor", "note": BOLD})
        found = re.search(r'value="http://testserver/join/#([\w-]+)"', text(page))
        assert found
        secret = found[1]
        assert page["Cache-Control"] == "no-store"
        assert BOLD not in text(page)
        assert ESCAPED in text(page)
        assert secret not in str(logs) + str(AuditEntry.objects.values())
        assert secret not in text(admin.get("/access/users/")) + text(admin.get("/audit/"))
        assert secret not in str(Invitation.objects.values())
        assert BOLD not in text(admin.get("/access/users/"))

    def test_a_token_is_shown_once_and_is_in_no_url_and_no_log(self, admin: Client) -> None:
        with capture_logs() as logs:
            page = admin.post("/access/tokens/new/", {"name": BOLD, "scope": "read", "days": "30"})
        found = re.search(r'class="secret" readonly value="([\w-]+)"', text(page))
        assert found
        secret = found[1]
        assert Client().get("/api/v1/dashboards", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        assert page["Cache-Control"] == "no-store"
        assert BOLD not in text(page)
        assert ESCAPED in text(page)
        assert secret not in str(logs) + str(AuditEntry.objects.values())
        assert secret not in text(admin.get("/access/tokens/")) + text(admin.get("/audit/"))

    def test_the_last_use_of_a_token_is_on_its_page_and_a_revoked_one_is_not(self, admin: Client) -> None:
        secret = make.token("bot", "read")
        assert text(admin.get("/access/tokens/")).count('data-label="Last used">never') == 1
        Client().get("/api/v1/dashboards", headers={"Authorization": f"Bearer {secret}"})
        assert Token.objects.get().last_used_at
        assert 'data-label="Last used">never' not in text(admin.get("/access/tokens/"))
        page = admin.post("/access/tokens/revoke/", {"name": "bot"}, follow=True)
        assert "The token bot is revoked." in text(page)
        assert page.context["rows"] == []
        response = Client().get("/api/v1/dashboards", headers={"Authorization": f"Bearer {secret}"})
        assert response.status_code == 401


JOINED = {"name": "grace", "password": make.PASSWORD, "again": make.PASSWORD}


class TestJoin:
    def test_one_joins_is_signed_in_and_the_invitation_is_used_up(self) -> None:
        secret = users.invite(SYSTEM, "editor", [make.team("ops")])
        browser = Client()
        assert browser.post("/join/", {**JOINED, "secret": secret})["Location"] == "/"
        assert "grace" in text(browser.get("/"))
        again = Client().post("/join/", {**JOINED, "name": "hal", "secret": secret})
        assert (again.status_code, User.objects.count()) == (422, 1)
        assert "This invitation was used already, or is over." in text(again)

    @pytest.mark.parametrize(
        ("typed", "field", "said"),
        [
            ({"secret": ""}, "secret", "This field is required."),
            ({"secret": "guessed"}, "secret", "This invitation was used already, or is over."),
            ({"secret": "a\x00b"}, "secret", "Null characters are not allowed."),
            ({"name": ""}, "name", "This field is required."),
            ({"name": "ada"}, "name", "There is a user 'ada' already."),
            ({"name": BOLD}, "name", "Enter a valid username."),
            ({"name": "x" * 151}, "name", "at most 150 characters"),
            ({"password": "short", "again": "short"}, "password", "too short"),
            ({"again": "another one"}, "again", "The two passwords are not the same."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field_and_leaves_the_invitation(
        self, client: Client, typed: dict[str, str], field: str, said: str
    ) -> None:
        make.user("ada")
        secret = users.invite(SYSTEM, "viewer")
        response = client.post("/join/", {**JOINED, "secret": secret, **typed})
        assert response.status_code == 422
        beside = re.search(rf'<span class="field-error" id="id_{field}_error">([^<]*)</span>', text(response))
        assert beside
        assert said in beside[1].replace("&#x27;", "'")
        assert BOLD not in text(response)
        assert make.PASSWORD not in text(response)
        assert (User.objects.count(), Invitation.objects.count()) == (1, 1)


class TestNames:
    def test_they_are_text(self, admin: Client) -> None:
        team = make.team(BOLD, User.objects.get(username="ada"))
        make.token("backup", "read", [team])
        users.invite(SYSTEM, "viewer", [team], BOLD)
        User.objects.filter(username="eve").update(username=BOLD)
        source = sources.create(SYSTEM, "host", BOLD, 10, {})
        dashboards.create(SYSTEM, {"slug": "shop", "title": BOLD, "widgets": []})
        for path in (
            "/access/users/",
            f"/access/users/{User.objects.get(username=BOLD).pk}/",
            "/access/teams/",
            f"/access/teams/{team.pk}/",
            f"/access/teams/{team.pk}/delete/",
            "/access/tokens/",
            "/d/shop/access/",
            f"/sources/{source.pk}/access/",
        ):
            page = text(admin.get(path))
            assert BOLD not in page, path
            assert ESCAPED in page, path


class TestSharing:
    def test_a_dashboard_and_a_source_are_given_to_a_team(self, admin: Client) -> None:
        make.dashboard("shop")
        source = make.source()
        make.team("ops")
        for path in ("/d/shop/access/", f"/sources/{source.pk}/access/"):
            assert "Saved." in text(admin.post(path, {"teams": ["ops"]}, follow=True)), path
        source.refresh_from_db()
        assert (source.for_everyone, [team.name for team in source.teams.all()]) == (False, ["ops"])
        assert dashboards.spec_of(dashboards.find(SYSTEM, "shop")).access.teams == ["ops"]

    def test_an_editor_gives_only_to_their_own_teams(self, everyone: dict[str, Client]) -> None:
        eve = User.objects.get(username="eve")
        mine, theirs = make.team("mine", eve), make.team("theirs")
        make.dashboard("shop", teams=[mine])
        page = text(everyone["editor"].get("/d/shop/access/"))
        assert ('value="mine"' in page, 'value="theirs"' in page) == (True, False)
        response = everyone["editor"].post("/d/shop/access/", {"teams": ["mine", "theirs"]})
        assert response.status_code == 422
        assert Team.objects.get(pk=theirs.pk).dashboards.count() == 0

    def test_a_team_of_others_is_not_taken_away_and_the_sentence_names_no_field(
        self, everyone: dict[str, Client]
    ) -> None:
        eve = User.objects.get(username="eve")
        mine, theirs = make.team("mine", eve), make.team("theirs")
        make.dashboard("shop", teams=[mine, theirs])
        page = everyone["editor"].post("/d/shop/access/", {"teams": ["mine"]})
        assert page.status_code == 422
        assert ">Only a member, or an administrator, may give things to theirs, or take them.<" in text(page)
        assert theirs.dashboards.count() == 1

    def test_an_editor_who_gives_it_out_of_sight_is_led_to_the_list(self, everyone: dict[str, Client]) -> None:
        mine = make.team("mine", User.objects.get(username="eve"))
        make.dashboard("shop", teams=[mine])
        source = make.source()
        source.teams.set([mine])
        for path, list_ in (("/d/shop/access/", "/dashboards/"), (f"/sources/{source.pk}/access/", "/sources/")):
            response = everyone["editor"].post(path, {}, follow=True)
            assert (response.status_code, response.redirect_chain) == (200, [(list_, 302)])

    def test_a_thing_of_another_team_is_not_there(self, everyone: dict[str, Client]) -> None:
        theirs = make.team("theirs")
        make.dashboard("shop", teams=[theirs])
        assert everyone["editor"].get("/d/shop/access/").status_code == 404
        assert everyone["viewer"].get("/d/shop/access/").status_code == 404

    def test_a_dashboard_says_that_it_shows_more_than_its_sources(self, admin: Client) -> None:
        ops = make.team("ops")
        source = sources.create(SYSTEM, "host", BOLD, 10, {})
        make.stored("orders_open", {0: 1.0}, source)
        sources.change(SYSTEM, source.pk, {"access": {"everyone": False, "teams": ["ops"]}})
        make.dashboard("shop", teams=[ops])
        assert "Shared wider than its sources" not in text(admin.get("/d/shop/"))
        dashboards.change(SYSTEM, "shop", {"access": {"everyone": True, "teams": ["ops"]}}, None)
        page = text(admin.get("/d/shop/"))
        assert "Shared wider than its sources" in page
        assert BOLD not in page


@pytest.mark.parametrize(
    ("role", "absent"),
    [
        ("viewer", ["/access/users/", "/access/tokens/", "/audit/", "/watching/", "/admin/"]),
        ("editor", ["/access/users/", "/audit/"]),
        ("administrator", []),
    ],
)
def test_the_menu_and_the_tabs_lead_only_where_one_may_go(
    everyone: dict[str, Client], role: str, absent: list[str]
) -> None:
    page = text(everyone[role].get("/access/teams/"))
    links = {link for link in re.findall(r'href="(/[^"#?]*)"', page) if not link.startswith("/static/")}
    assert not links & set(absent)
    assert "/rooms/" in links
    assert {link: everyone[role].get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)
