"""The ASGI application: Django for HTTP, `consumers.routing` for WebSockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard_project.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.routing import ProtocolTypeRouter

from consumers.routing import websocket
from metrics.api.fast_path import FastPath

application = ProtocolTypeRouter({"http": FastPath(http), "websocket": websocket})
