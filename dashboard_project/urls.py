from django.contrib import admin
from django.urls import include, path

from metrics.api import api

urlpatterns = [
    path("", include("metrics.views.urls")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
]
