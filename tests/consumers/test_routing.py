"""Extensions of an installation are run by the web process alone."""

from importlib import import_module, reload

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from consumers import routing
from dashboard_project import fork_server


def test_the_application_loads_extensions_and_the_routes_alone_do_not(settings: Settings) -> None:
    settings.EXTENSIONS = ["no_such_extension"]
    reload(routing)
    assert "dashboard_project.asgi" not in (*fork_server.FIRST, *fork_server.THEN)
    with pytest.raises(ImproperlyConfigured, match="no_such_extension"):
        reload(import_module("dashboard_project.asgi"))
