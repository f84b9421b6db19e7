"""The first run: the user admin, and a dashboard that shows this machine."""

import os
import re
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from metrics.access.principal import SYSTEM
from metrics.actions import account, channel_configs, dashboards, source_configs, sources, web_push
from metrics.actions.demo import DASHBOARD, SELF_CHECK, SOURCES
from metrics.models import Dashboard, Source

ADMIN = "admin"
OURS = re.compile(r"http://(127\.0\.0\.1|web):\d+/healthz")
"""Address that the check of the web process requests until somebody changes it."""


def bootstrap() -> str:
    """Make what a new installation lacks, and return one sentence that says how to sign in.

    A later run makes nothing twice and leaves what was edited alone, but for three things: the password is
    ADMIN_PASSWORD whenever that is given, the check of the web process follows PORT (or WEB_URL), and credentials that
    were kept under one of SECRET_KEY_FALLBACKS are kept under SECRET_KEY. Configs that an earlier release stored get
    the form of this one.
    """
    with transaction.atomic():
        if not Dashboard.with_deleted.exists() and not Source.objects.exists():
            _demo()
        _follow_web_url()
        source_configs.renew_credentials()
        channel_configs.renew_credentials()
        web_push.prepare_key()
        source_configs.upgrade()
        channel_configs.upgrade()
        dashboards.upgrade_configs()
        return _admin()


def _demo() -> None:
    for name, kind, every_s, config in SOURCES:
        sources.create(SYSTEM, kind, name, every_s, config)
    dashboards.create(SYSTEM, DASHBOARD)


def _follow_web_url() -> None:
    url = f"{settings.WEB_URL}/healthz"
    for source in Source.objects.filter(name=SELF_CHECK, kind="http_check"):
        if OURS.fullmatch(source.config["url"]) and source.config["url"] != url:
            source.config["url"] = url
            source.save(update_fields=["config"])


def _admin() -> str:
    user = User.objects.filter(username=ADMIN).first()
    given = settings.ADMIN_PASSWORD
    if user is None:
        password = given or secrets.token_urlsafe(12)
        user = User.objects.create_superuser(ADMIN, password=password)
        if not given:
            _keep(password)
    elif given and not user.check_password(given):
        user.set_password(given)
        user.save(update_fields=["password"])
        account.password_changed(SYSTEM, user)
    if given:
        return f"Sign in as {ADMIN} with the password given as ADMIN_PASSWORD."
    if not _file().exists() or not user.check_password(_file().read_text().strip()):
        _file().unlink(missing_ok=True)
        return f"Sign in as {ADMIN} with the password you chose; manage.py changepassword {ADMIN} sets a new one."
    return f"Sign in as {ADMIN} with the password {_file().read_text().strip()} (kept in {_file()})."


def _file() -> Path:
    return Path(settings.DATA_DIR) / "admin_password"


def _keep(password: str) -> None:
    with open(os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(password + "\n")
