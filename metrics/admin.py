"""Django's admin for the models."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from metrics.access.policy import CHANGE, CREATE, DELETE, SEE, may, visible
from metrics.access.principal import of_visitor
from metrics.actions import account, journal, tokens, users
from metrics.models import Series, Source, Token

admin.site.site_header = "Watchfloor"
admin.site.site_title = "Watchfloor"
admin.site.index_title = "Administration"


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

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            before, after = ({name: of[name] for name in form.changed_data} for of in (form.initial, form.cleaned_data))
            journal.record(of_visitor(request), "change", obj, before, after)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for one in queryset:
            journal.record(of_visitor(request), "delete", one)
        return super().log_deletions(request, queryset)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class RecordedUserAdmin(Recorded, UserAdmin):
    """Users are added, renamed and deleted here, and have their password changed; all else is for the page of users."""

    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Role", {"fields": ("role", "is_active", "teams")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("role", "is_active", "teams", "last_login", "date_joined")

    def role(self, user: User) -> str:
        return str(users.facts(user)["role"])

    def teams(self, user: User) -> str:
        return ", ".join(sorted(user.groups.values_list("name", flat=True)))

    @method_decorator(transaction.atomic)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """The password and the journal's entry of it are one transaction."""
        before = self.get_object(request, unquote(id))
        answer = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before is not None and after is not None and before.password != after.password:
            account.password_changed(of_visitor(request), after)
        return answer

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what is deleted together, and what forbids it: an administrator has to stay."""
        gone, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if not users.administrators_without([one.pk for one in objs]):
            protected.append("No administrator would be left; make somebody else one first.")
        return gone, counts, lacking, protected


class SeenSources(admin.RelatedFieldListFilter):
    """The sources to choose from: none that the visitor may not see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        seen = visible(of_visitor(request), Source).order_by().values("pk")
        ordering = self.field_admin_ordering(field, request, model_admin)
        return list(field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": seen}))


@admin.register(Series)
class SeriesAdmin(Policed):
    list_display = ["metric", "labels", "unit", "source", "created_at"]
    list_filter = [("source", SeenSources)]
    search_fields = ["metric"]
    list_select_related = ["source"]
    readonly_fields = ["key", "metric", "labels", "source", "created_at"]


@admin.register(Token)
class TokenAdmin(Policed):
    """Tokens are made and changed on the page of tokens, or by `manage.py token`; here they are seen and revoked."""

    list_display = ["name", "scope", "created_at", "revoked_at"]
    fields = ["name", "scope", "teams", "face", "created_at", "expires_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return may(of_visitor(request), DELETE, Token)

    @admin.action(permissions=["revoke"], description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        for token in chosen.filter(revoked_at=None):
            tokens.revoke(of_visitor(request), token.name)
        messages.success(request, "The chosen tokens are revoked.")
