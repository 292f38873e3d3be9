"""django-unfold's classes as the apps' admins use them; it has no type hints, so mypy sees Django's own instead."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin
from django.http import Http404, HttpRequest

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:

    class ModelAdmin(admin.ModelAdmin[Any]):
        """Django's, with what Unfold adds."""

        paginator: ClassVar[Any]
        change_form_before_template: str | None
        list_before_template: str | None

    class TabularInline(admin.TabularInline[Any, Any]):
        """Django's, with what Unfold adds: dragging writes the order into `ordering_field`."""

        ordering_field: str | None

    def display(
        *, description: str = "", ordering: str = "", label: object = None, boolean: bool = False, header: bool = False
    ) -> Callable[[F], F]:
        """`label` shows the value as a badge: a dict from value to colour; the method returns (value, text)."""
        raise NotImplementedError

else:
    from unfold.admin import ModelAdmin, TabularInline
    from unfold.decorators import display


class LookOnly:
    """For admins of what is written elsewhere; before ModelAdmin among the bases."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrNotFound:
    """Raises Http404 where Django would lead to the front page: what is not yours is not there."""

    def get_object(self: Any, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if obj is None:
            raise Http404
        return obj


__all__ = ["LookOnly", "ModelAdmin", "OrNotFound", "TabularInline", "display"]
