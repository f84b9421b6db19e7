"""The ASGI application: Django for HTTP, `consumers.routing` for WebSockets.

To import it runs the extensions of the installation, so only the web process does.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.routing import ProtocolTypeRouter
from django.conf import settings

from consumers.routing import router
from metrics.api.fast_path import FastPath

application = ProtocolTypeRouter({"http": FastPath(http), "websocket": router(settings.EXTENSIONS)})
