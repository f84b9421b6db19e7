"""docs/settings.md lists exactly the settings that the program reads."""

import re
from pathlib import Path

from dashboard_project import env, settings

PAGE = Path(settings.BASE_DIR) / "docs" / "settings.md"


def documented() -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)


def test_every_setting_is_documented_once() -> None:
    assert sorted(documented()) == sorted(env.DECLARED)


def test_every_setting_says_what_it_means() -> None:
    assert [setting.name for setting in env.DECLARED.values() if not setting.help.endswith(".")] == []
