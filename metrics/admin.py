"""Django's admin for the models."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from metrics.access.principal import of_visitor
from metrics.actions import access, dashboards, journal
from metrics.actions.errors import Invalid
from metrics.models import Dashboard, Series, Token, Widget
from metrics.widgets.ranges import RANGES_S

WIDGET_FIELDS = ("title", "kind", "config", "x", "y", "w", "h")

admin.site.site_header = "Watchfloor"
admin.site.site_title = "Watchfloor"
admin.site.index_title = "Administration"


class OwnRights(admin.ModelAdmin):
    """Accounts and groups, as who is no superuser may change them: nobody gets to hold more than the one who gives."""

    manages: Callable[[User, Any], bool]
    """Whether somebody may change an account or a group."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or self.manages(_who(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or self.manages(_who(request), obj))

    @method_decorator(transaction.atomic)
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Do what an action of the list asks for, and write it into the journal, in one transaction."""
        return super().changelist_view(request, extra_context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        journal.record(of_visitor(request), "create", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        fields = [name for said in message for name in said.get("changed", {}).get("fields", [])]
        journal.record(of_visitor(request), "change", obj, after={"fields": fields})
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for one in queryset:
            journal.record(of_visitor(request), "delete", one)
        return super().log_deletions(request, queryset)

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

    manages = staticmethod(access.may_manage)

    @method_decorator(transaction.atomic)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """The password and the journal's entry of it are one transaction."""
        return super().user_change_password(request, id, form_url)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if _who(request).is_superuser else ["is_superuser"]


@admin.register(Group)
class OwnRightsGroupAdmin(OwnRights, GroupAdmin):
    """Django's, within the rights of who changes."""

    manages = staticmethod(access.may_manage_group)


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
    """One widget. Without a place it stands in the first gap."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("x", "y"):
            self.fields[name].required = False
            if self.instance.pk is None:
                self.initial[name] = None


class WidgetFormSet(BaseInlineFormSet):
    """The widgets of a dashboard, each with a key and a place of its own."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [one for one in self.forms if one.cleaned_data and not one.cleaned_data.get("DELETE")]
        given = [{name: one.cleaned_data[name] for name in WIDGET_FIELDS} for one in kept]
        keyed = [{**fields, "key": one.instance.key} for one, fields in zip(kept, given, strict=True)]
        try:
            specs = dashboards.parse({"slug": "any", "title": "any", "widgets": keyed}).widgets
        except Invalid as problem:
            raise ValidationError([message for _, message in problem.all]) from None
        for form, spec in zip(kept, specs, strict=True):
            form.instance.key, form.instance.x, form.instance.y = spec.key, spec.x, spec.y


class WidgetInline(admin.StackedInline):
    model = Widget
    form = WidgetForm
    formset = WidgetFormSet
    extra = 0
    fields = ["title", "kind", "config", ("x", "y", "w", "h")]


class DashboardForm(forms.ModelForm):
    def clean_range(self) -> str:
        range = str(self.cleaned_data["range"])
        if range not in RANGES_S:
            raise ValidationError(f"It is one of {', '.join(RANGES_S)}, not {range!r}.")
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
        dashboards.edited(of_visitor(request), form.instance)

    def delete_model(self, request: HttpRequest, obj: Dashboard) -> None:
        dashboards.delete(of_visitor(request), obj.slug, None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        for one in queryset:
            self.delete_model(request, one)


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
            access.revoke_token(token.name, of_visitor(request))
        messages.success(request, "The chosen tokens are revoked.")
