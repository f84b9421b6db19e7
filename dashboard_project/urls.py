"""All URLs: pages, the API, addresses of other servers' clients, pings, and the admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from metrics.api import ping, urls
from metrics.views import access

handler400 = "metrics.views.errors.bad_request"
handler500 = "metrics.views.errors.server_error"

admin.autodiscover()

urlpatterns = [
    path("api/", urls["api"]),  # before the pages, each of which Django would match with every request of a program
    path("", include("metrics.views.urls")),
    path("", urls["foreign"]),
    path("", urls["influxdb"]),
    path("", urls["alertmanager"]),
    path("", urls["telemetry"]),
    path("ping/<str:key>", ping.take),
    path("ping/<str:key>/<str:word>", ping.take),
    path("admin/logout/", access.sign_out),  # which closes open pages, too
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
]
