"""Django's admin for the models."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from metrics.actions import access, dashboards
from metrics.actions.problems import Invalid
from metrics.models import Dashboard, Series, Token, Widget

admin.site.site_header = "Watchfloor"
admin.site.site_title = "Watchfloor"
admin.site.index_title = "Administration"


class OwnRights(admin.ModelAdmin):
    """Accounts and groups, as who is no superuser may change them: nobody gets to hold more than the one who gives."""

    def manages(self, by: User, obj: Any) -> bool:
        """Return whether `by` may change `obj`."""
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or self.manages(_who(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or self.manages(_who(request), obj))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        assert request is not None
        by, model = _who(request), db_field.remote_field.model
        held = access.permissions_of(by) if model is Permission else by.groups.all()
        kwargs["queryset"] = model.objects.all() if by.is_superuser else held
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and not by.is_superuser:
            field.help_text = "You can give what you have yourself."
        return field


def _who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class OwnRightsUserAdmin(OwnRights, UserAdmin):
    """Django's, within the rights of who changes."""

    def manages(self, by: User, obj: Any) -> bool:
        return access.may_manage(by, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if _who(request).is_superuser else ["is_superuser"]


@admin.register(Group)
class OwnRightsGroupAdmin(OwnRights, GroupAdmin):
    """Django's, within the rights of who changes."""

    def manages(self, by: User, obj: Any) -> bool:
        return access.may_manage_group(by, obj)


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
