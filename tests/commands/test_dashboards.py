"""Dashboards as files in a folder, as an operator runs it."""

import io
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards
from metrics.models import AuditEntry, Dashboard
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SHOP = "title: Shop\nwidgets:\n  # to be packed\n  - kind: text\n    title: Note\n    config: {text: Hello}\n"


def run(*arguments: object) -> tuple[str, str]:
    """Return what the command wrote to stdout and to stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("dashboards", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def differs(folder: Path, *more: str) -> bool:
    with suppress(SystemExit):
        run("diff", folder, *more)
        return False
    return True


def test_a_folder_is_applied_once_and_follows_the_page(tmp_path: Path) -> None:
    make.user("ada", is_staff=True)
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "notes.txt").write_text("no dashboard")
    assert differs(tmp_path)
    shown, said = run("apply", tmp_path, "--as", "ada")
    assert (shown[:31], said) == ("--- /dev/null\n+++ shop.yaml\n@@ ", "shop is created.\n")
    assert AuditEntry.objects.filter(noun="dashboard").get().by == "user ada"
    assert (run("apply", tmp_path), differs(tmp_path)) == (("", "Nothing to do.\n"), False)

    dashboards.change(SYSTEM, "shop", {"title": "Store"}, None)
    assert differs(tmp_path)
    assert run("export", tmp_path) == ("", "shop.yaml is written.\n")
    assert (tmp_path / "shop.yaml").read_text() == SHOP.replace("title: Shop", "title: Store")
    assert run("export", tmp_path) == ("", "Nothing to do.\n")
    assert not differs(tmp_path)


def test_only_pruning_takes_away(tmp_path: Path) -> None:
    make.dashboard("other")
    (tmp_path / "shop.yaml").write_text(SHOP)
    run("apply", tmp_path)
    assert (differs(tmp_path), differs(tmp_path, "--prune")) == (False, True)
    assert run("apply", tmp_path, "--prune")[1] == "other is deleted.\n"
    (tmp_path / "more.yaml").write_text(SHOP)
    assert run("export", tmp_path) == ("", "Nothing to do.\n")
    assert run("export", tmp_path, "--prune")[1] == "more.yaml is removed.\n"
    assert [one.name for one in tmp_path.iterdir()] == ["shop.yaml"]


@pytest.mark.parametrize(
    ("name", "text", "more", "said"),
    [
        (
            "shop.yaml",
            SHOP.replace("kind: text", "kind: texts"),
            (),
            "shop.yaml: line 4: widgets.0.kind: There is no widget kind",
        ),
        ("shop.yml", SHOP, (), "shop.yml has to be called shop.yaml."),
        ("shop.yaml", "\udcff", (), "shop.yaml is not UTF-8."),
        ("shop.txt", SHOP, (), "has no file that ends with .yaml."),
        ("shop.yaml", SHOP, ("--as", "eve"), "There is no active user 'eve'."),
        ("shop.yaml", SHOP, ("--as", "ada"), "only editors and administrators may create dashboards"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_changed(
    tmp_path: Path, name: str, text: str, more: tuple[str, ...], said: str
) -> None:
    make.user("ada")
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CommandError) as refused:
        run("apply", tmp_path, *more)
    assert said.lower() in str(refused.value).lower()
    assert refused.value.returncode == 2
    assert not Dashboard.objects.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be used"):
        run("diff", tmp_path / "none")
    make.dashboard()
    assert run("export", tmp_path / "new")[1] == "shop.yaml is written.\n"


def test_rules_are_in_a_folder_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "rules").mkdir()
    text = "name: Slow\nquery: {metric: latency}\n# too slow\ncondition: {kind: threshold, above: 1}\n"
    (tmp_path / "rules" / "slow.yaml").write_text(text)
    assert differs(tmp_path)
    assert run("apply", tmp_path)[1] == "shop is created. rules/slow is created.\n"
    assert (run("apply", tmp_path), differs(tmp_path)) == (("", "Nothing to do.\n"), False)
    (tmp_path / "rules" / "slow.yaml").write_text(text.replace("above: 1", "above: 2"))
    assert run("export", tmp_path) == ("", "rules/slow.yaml is written.\n")
    assert (tmp_path / "rules" / "slow.yaml").read_text() == text
    (tmp_path / "rules" / "slow.yaml").write_text(text.replace("above: 1", "over: 2"))
    with pytest.raises(CommandError, match=r"rules/slow.yaml: line 4: condition.over: "):
        run("apply", tmp_path)


def test_channels_and_escalations_are_applied_before_what_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.team("ops")
    monkeypatch.setenv("MAIL_PASSWORD", "four words make it")
    files = {
        "channels/post": "name: Post\nteam: ops\nkind: mail\nconfig:\n  to: [a@example.org]\n  host: mail.example.org\n"
        "  username: ops\n  password: {env: MAIL_PASSWORD}\nposition: 0\n",
        "escalations/ops": "team: ops\nsteps:\n  - tell: [channel:Post]\n",
    }
    for name, text in files.items():
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir()
        path.write_text(text)
    shown, said = run("apply", tmp_path)
    assert said == "channels/post is created. escalations/ops is created.\n"
    assert "four words" not in shown
    assert (run("apply", tmp_path), differs(tmp_path)) == (("", "Nothing to do.\n"), False)
    assert run("export", tmp_path) == ("", "Nothing to do.\n")
    assert {
        str(one.relative_to(tmp_path).with_suffix("")): one.read_text() for one in tmp_path.rglob("*.yaml")
    } == files
