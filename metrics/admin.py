"""Django's admin for the models."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from metrics.actions import access, dashboards
from metrics.actions.problems import Invalid
from metrics.models import Dashboard, Series, Token, Widget

admin.site.site_header = "Watchfloor"
admin.site.site_title = "Watchfloor"
admin.site.index_title = "Administration"


admin.site.unregister(User)


@admin.register(User)
class WatchedUserAdmin(UserAdmin):
    """Django's, and what it changes about access holds for open pages at once."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        access.user_changed(form.instance)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        access.access_changed()
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        super().delete_model(request, obj)
        access.access_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        super().delete_queryset(request, queryset)
        access.access_changed()


admin.site.unregister(Group)


@admin.register(Group)
class WatchedGroupAdmin(GroupAdmin):
    """Django's, with the same."""

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        access.access_changed()

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        super().delete_model(request, obj)
        access.access_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        super().delete_queryset(request, queryset)
        access.access_changed()


@admin.register(Series)
class SeriesAdmin(admin.ModelAdmin):
    list_display = ["metric", "labels", "unit", "source", "created_at"]
    list_filter = ["source"]
    search_fields = ["metric"]
    list_select_related = ["source"]
    readonly_fields = ["key", "metric", "labels", "source", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class WidgetForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") and "config" in cleaned:
            try:
                dashboards.check_widget(cleaned["kind"], cleaned["config"])
            except Invalid as problem:
                raise ValidationError(str(problem)) from None
        return cleaned


class WidgetInline(admin.StackedInline):
    model = Widget
    form = WidgetForm
    extra = 0


class DashboardForm(forms.ModelForm):
    def clean_range(self) -> str:
        range = str(self.cleaned_data["range"])
        try:
            dashboards.check_range(range)
        except Invalid as problem:
            raise ValidationError(str(problem)) from None
        return range


@admin.register(Dashboard)
class DashboardAdmin(admin.ModelAdmin):
    form = DashboardForm
    list_display = ["title", "slug", "range"]
    prepopulated_fields = {"slug": ["title"]}
    filter_horizontal = ["groups"]
    inlines = [WidgetInline]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        dashboards.edited(form.instance)

    def delete_model(self, request: HttpRequest, obj: Dashboard) -> None:
        super().delete_model(request, obj)
        dashboards.deleted(obj.slug)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        slugs = list(queryset.values_list("slug", flat=True))
        super().delete_queryset(request, queryset)
        for slug in slugs:
            dashboards.deleted(slug)


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    """Tokens are made by `manage.py token`, which alone ever sees the secret; here they are seen and revoked."""

    list_display = ["name", "scope", "created_at", "revoked_at"]
    readonly_fields = ["name", "scope", "created_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(permissions=["change"], description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        for token in chosen.filter(revoked_at=None):
            access.revoke_token(token.name)
        messages.success(request, "The chosen tokens are revoked.")
