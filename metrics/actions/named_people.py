"""Users by the names that calendars elsewhere have for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

PARTS = re.compile(r"\s+-\s+|:\s+|\s*[(,;|/]\s*|\)\s*")


@dataclass(frozen=True, slots=True)
class People:
    """Users by user name, full name and mail, in small letters; None for a name that two have."""

    by_name: Mapping[str, User | None]

    @classmethod
    def load(cls) -> "People":
        found: dict[str, User | None] = {}
        users = list(User.objects.filter(is_active=True))
        for user in users:
            for name in {user.get_full_name().casefold(), user.email.casefold()} - {""}:
                found[name] = None if name in found else user
        found |= {user.get_username().casefold(): user for user in users}
        return cls(found)

    def named(self, who: str, mail: str = "") -> User | None:
        """Return the user whom a calendar calls `who`, such as "On Call - Ann Lee - Ops", with this `mail`."""
        for name in (mail, who, *PARTS.split(who)):
            user = self.by_name.get(name.strip().casefold()) if name.strip() else None
            if user is not None:
                return user
        return None
