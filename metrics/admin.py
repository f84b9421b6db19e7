"""Django's admin for the models."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import dashboards, journal, tokens
from metrics.actions.errors import Invalid
from metrics.models import Dashboard, Series, Team, Token, Widget
from metrics.widgets.ranges import RANGES_S

WIDGET_FIELDS = ("title", "kind", "config", "x", "y", "w", "h")

admin.site.site_header = "Watchfloor"
admin.site.site_title = "Watchfloor"
admin.site.index_title = "Administration"

FLAGS = {
    "is_staff": ("Editor", "Makes and changes dashboards, sources and heartbeats, and may open this admin."),
    "is_superuser": ("Administrator", "May do everything."),
    "groups": ("Teams", "Their members own things together."),
}
"""The words for Django's own flags of a user."""


class Policed(admin.ModelAdmin):
    """Rows as the one policy lets people see and change them, whatever rights Django's groups give."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(of_visitor(request), SEE, obj or self.model)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(of_visitor(request), CREATE, self.model)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(of_visitor(request), CHANGE, obj or self.model)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(of_visitor(request), DELETE, obj or self.model)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(of_visitor(request), self.model)


class Recorded(Policed):
    """Rows whose changes here are written into the journal, in the same transaction."""

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


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class RecordedUserAdmin(Recorded, UserAdmin):
    """Django's; its flags are the roles. For daily life there is the page of users."""

    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Role", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    filter_horizontal = ("groups",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        label, help_text = FLAGS.get(db_field.name, ("", ""))
        if field is not None and label:
            field.label, field.help_text = label, help_text
        return field

    @method_decorator(transaction.atomic)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """The password and the journal's entry of it are one transaction."""
        return super().user_change_password(request, id, form_url)


@admin.register(Series)
class SeriesAdmin(Policed):
    list_display = ["metric", "labels", "unit", "source", "created_at"]
    list_filter = ["source"]
    search_fields = ["metric"]
    list_select_related = ["source"]
    readonly_fields = ["key", "metric", "labels", "source", "created_at"]


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
    """The widgets of a dashboard: who may change it may change them."""

    model = Widget
    form = WidgetForm
    formset = WidgetFormSet
    extra = 0
    fields = ["title", "kind", "config", ("x", "y", "w", "h")]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(of_visitor(request), SEE, obj or Dashboard)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(of_visitor(request), CHANGE, obj or Dashboard)

    has_change_permission = has_delete_permission = has_add_permission


class DashboardForm(forms.ModelForm):
    def clean_range(self) -> str:
        range = str(self.cleaned_data["range"])
        if range not in RANGES_S:
            raise ValidationError(f"It is one of {', '.join(RANGES_S)}, not {range!r}.")
        return range


@admin.register(Dashboard)
class DashboardAdmin(Policed):
    form = DashboardForm
    list_display = ["title", "slug", "range"]
    prepopulated_fields = {"slug": ["title"]}
    filter_horizontal = ["teams"]
    inlines = [WidgetInline]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        assert request is not None
        kwargs["queryset"] = visible(of_visitor(request), Team)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        others = set(form.instance.teams.all()) - set(visible(of_visitor(request), Team))
        super().save_related(request, form, formsets, change)
        form.instance.teams.add(*others)  # which the form did not show
        dashboards.edited(of_visitor(request), form.instance)

    def delete_model(self, request: HttpRequest, obj: Dashboard) -> None:
        dashboards.delete(of_visitor(request), obj.slug, None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Dashboard]) -> None:
        for one in queryset:
            self.delete_model(request, one)


@admin.register(Token)
class TokenAdmin(Policed):
    """Tokens are made on the page of tokens, or by `manage.py token`; here they are seen and revoked."""

    list_display = ["name", "scope", "created_at", "revoked_at"]
    readonly_fields = ["name", "scope", "created_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(permissions=["change"], description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        for token in chosen.filter(revoked_at=None):
            tokens.revoke(of_visitor(request), token.name)
        messages.success(request, "The chosen tokens are revoked.")
