"""django-unfold's classes as the apps' admins use them; it has no type hints, so mypy sees Django's own instead."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib import admin

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

__all__ = ["ModelAdmin", "TabularInline", "display"]
