from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from metrics.views import dashboard, health

urlpatterns = [
    path("", dashboard.index, name="dashboards"),
    path("d/<slug:slug>/", dashboard.tab, name="dashboard"),
    path("wall/<slug:slug>/", dashboard.wall, name="wall"),
    path(
        "sign-in/",
        LoginView.as_view(template_name="access/sign_in.html", redirect_authenticated_user=True),
        name="sign-in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.own_metrics, name="metrics"),
]
