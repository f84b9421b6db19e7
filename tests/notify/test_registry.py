"""The kinds of channels: found, named as their modules, and described."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from metrics.notify.registry import kind_of, kinds

PAGE = (Path(settings.BASE_DIR) / "docs" / "channels.md").read_text()


def test_a_kind_is_found_by_its_name_and_others_are_none() -> None:
    assert list(kinds()) == ["apprise", "mail", "webhook"]
    assert all(kind_of(name).kind == name for name in kinds())
    for name in ("base", "pigeon", "web_push", "sending"):
        with pytest.raises(KeyError):
            kind_of(name)


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_field_is_described(name: str) -> None:
    section = re.search(rf"^## {name}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert section
    documented = {
        field
        for row in re.findall(r"^\| (`[^|]*) \|", section[1], re.MULTILINE)
        for field in re.findall(r"`(\w+)`", row)
    }
    assert documented == set(kind_of(name).config_class.model_fields)
