from django.contrib import admin
from django.urls import include, path

from metrics.api import api, no_such_endpoint

urlpatterns = [
    path("", include("metrics.views.urls")),
    path("api/", api.urls),
    path("api/<path:anything>", no_such_endpoint),
    path("admin/", admin.site.urls),
]
