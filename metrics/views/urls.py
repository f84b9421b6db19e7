"""URLs of the pages."""

from django.contrib.auth.views import LoginView
from django.urls import path

from metrics.views import access, account, audit, dashboard, health, heartbeats, series, sources, watching

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
    path("account/", account.page, name="account"),
    path("account/end-session/", account.end_session, name="account-end-session"),
    path("account/sign-out-everywhere/", account.sign_out_everywhere, name="sign-out-everywhere"),
    path("audit/", audit.index, name="audit"),
    path("audit/export/", audit.export, name="audit-export"),
    path("watching/", watching.watching, name="watching"),
    path("series/", series.index, name="series"),
    path("sources/", sources.index, name="sources"),
    path("sources/new/", sources.new, name="source-new"),
    path("sources/<int:id>/", sources.source, name="source"),
    path("sources/<int:id>/edit/", sources.edit, name="source-edit"),
    path("sources/<int:id>/test/", sources.test, name="source-test"),
    path("sources/<int:id>/run/", sources.run, name="source-run"),
    path("sources/<int:id>/enable/", sources.enable, name="source-enable"),
    path("sources/<int:id>/delete/", sources.delete, name="source-delete"),
    path("heartbeats/", heartbeats.index, name="heartbeats"),
    path("heartbeats/new/", heartbeats.new, name="heartbeat-new"),
    path("heartbeats/<int:id>/", heartbeats.heartbeat, name="heartbeat"),
    path("heartbeats/<int:id>/edit/", heartbeats.edit, name="heartbeat-edit"),
    path("heartbeats/<int:id>/pause/", heartbeats.pause, name="heartbeat-pause"),
    path("heartbeats/<int:id>/rotate/", heartbeats.rotate, name="heartbeat-rotate"),
    path("heartbeats/<int:id>/delete/", heartbeats.delete, name="heartbeat-delete"),
    path("metrics", health.own_metrics, name="metrics"),
]
