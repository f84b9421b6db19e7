from django.contrib.auth.views import LoginView
from django.urls import path

from metrics.views import access, dashboard, health, watching

urlpatterns = [
    path("", dashboard.index, name="dashboards"),
    path("d/<slug:slug>/", dashboard.tab, name="dashboard"),
    path("wall/<slug:slug>/", dashboard.wall, name="wall"),
    path(
        "sign-in/",
        LoginView.as_view(template_name="access/sign_in.html", redirect_authenticated_user=True),
        name="sign-in",
    ),
    path("sign-out/", access.sign_out, name="sign-out"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("watching/", watching.watching, name="watching"),
    path("metrics", health.own_metrics, name="metrics"),
]
