"""Forms of sections, generated from the dataclasses' field metadata (storefront.sections): no kind is named here."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.forms.widgets import Script
from unfold import widgets

from storefront.documents import SECTIONS
from tenants.checks import check_size
from tenants.content import clean_content, editable_fields, item_type
from tenants.models import Landing, Section, Tenant
from tenants.page import Page
from tenants.rich_text import RichTextWidget
from tenants.validators import validate_image_url, validate_link

BLANK_SLOTS = 2
"""Empty rows offered behind the existing items of a repeatable group."""

MOST_CHOICES = 1000
"""Products offered in a picker."""

Declaration = dataclasses.Field[Any]


class ChosenInOrder(widgets.UnfoldAdminSelect2MultipleWidget):  # type: ignore[misc] # Unfold has no type hints
    """A multiple choice that keeps the order in which the options were chosen (product-order.js)."""

    class Media:
        js = [Script("tenants/product-order.js", type="module")]

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        order = {chosen: number for number, chosen in enumerate(value)}
        self.choices: list[Any] = sorted(self.choices, key=lambda choice: order.get(str(choice[0]), len(order)))
        return super().optgroups(name, value, attrs)


def _text(field: Declaration, tenant: Tenant) -> forms.Field:
    return forms.CharField(max_length=field.metadata["max_length"], widget=widgets.UnfoldAdminTextInputWidget())


def _paragraph(field: Declaration, tenant: Tenant) -> forms.Field:
    area = widgets.UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(max_length=field.metadata["max_length"], widget=area)


def _rich(field: Declaration, tenant: Tenant) -> forms.Field:
    return forms.CharField(max_length=field.metadata["max_length"], widget=RichTextWidget())


def _checked(check: Callable[[str], None], placeholder: str, help_text: str = "") -> Any:
    def make(field: Declaration, tenant: Tenant) -> forms.Field:
        line = widgets.UnfoldAdminTextInputWidget(attrs={"placeholder": placeholder})
        limit = field.metadata["max_length"]
        return forms.CharField(max_length=limit, validators=[check], widget=line, help_text=help_text)

    return make


def _choice(field: Declaration, tenant: Tenant) -> forms.Field:
    choices = list(field.metadata["choices"].items())
    return forms.ChoiceField(choices=choices, widget=widgets.UnfoldAdminSelectWidget())


def _integer(field: Declaration, tenant: Tenant) -> forms.Field:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    number = widgets.UnfoldAdminIntegerFieldWidget(attrs={"min": low, "max": high})
    return forms.IntegerField(min_value=low, max_value=high, widget=number, help_text=f"{low} to {high}.")


def _products(field: Declaration, tenant: Tenant) -> forms.Field:
    products = apps.get_model("catalog", "Product")._default_manager.filter(tenant=tenant).order_by("title", "pk")
    rows = products.values_list("pk", "title", "status")[:MOST_CHOICES]
    choices = [(str(pk), title if status == "active" else f"{title} ({status})") for pk, title, status in rows]
    most = field.metadata["maximum"]
    return forms.MultipleChoiceField(
        choices=choices, widget=ChosenInOrder(), help_text=f"Up to {most}, shown in the order you choose them."
    )


_MAKERS: dict[str, Callable[[Declaration, Tenant], forms.Field]] = {
    "text": _text,
    "paragraph": _paragraph,
    "rich": _rich,
    "choice": _choice,
    "integer": _integer,
    "products": _products,
    "email": _checked(validate_email, "name@example.com"),
    "link": _checked(validate_link, "/products or https://…"),
    "image": _checked(validate_image_url, "https://… or /…", "The address of the picture."),
}


def field_for(field: Declaration, tenant: Tenant, *, required: bool | None = None) -> forms.Field:
    """The form field of one declared field; `required` overrides the declaration's."""
    made = _MAKERS[field.metadata["input"]](field, tenant)
    made.label = field.metadata["label"]
    made.required = bool(field.metadata.get("required")) if required is None else required
    made.help_text = field.metadata.get("help") or made.help_text
    made.error_messages["required"] = "Please fill this in."
    return made


@dataclasses.dataclass(frozen=True)
class Slot:
    """One row of a repeatable group: its form fields by the item's field names, and its remove box."""

    group: Declaration
    item: type
    number: int
    existing: bool

    def name(self, part: str) -> str:
        return f"{self.group.name}-{self.number}-{part}"

    @property
    def names(self) -> list[str]:
        parts = [self.name(field.name) for field in editable_fields(self.item)]
        return [*parts, self.name("remove")] if self.existing else parts

    @property
    def title(self) -> str:
        label = self.group.metadata["label"]
        return f"{label}: {self.number + 1}" if self.existing else f"{label}: add number {self.number + 1}"


class SectionForm(forms.ModelForm[Section]):
    """A section of one kind. Subclasses are made by `form_for`."""

    kind: str
    landing: Landing
    slots: Sequence[Slot]

    class Meta:
        model = Section
        fields: Sequence[str] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = self.kind
        self.instance.landing = self.landing
        content = self.instance.content if isinstance(self.instance.content, dict) else {}
        self.initial = {**initial_of(self.kind, self.slots, content), **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        content = self._content(cleaned)
        if self.errors:
            return cleaned
        try:
            self.instance.content = clean_content(self.kind, content)
            check_size(self.landing.tenant, page_with(self.landing, self.instance))
        except ValidationError as error:
            self._place(error)
        return cleaned

    def _content(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        cls = SECTIONS[self.kind]
        groups = {slot.group.name for slot in self.slots}
        content = {field.name: cleaned.get(field.name) for field in editable_fields(cls) if field.name not in groups}
        for name in dict.fromkeys(slot.group.name for slot in self.slots):
            rows = (self._item(slot, cleaned) for slot in self.slots if slot.group.name == name)
            content[name] = [row for row in rows if row is not None]
        return content

    def _item(self, slot: Slot, cleaned: dict[str, Any]) -> dict[str, Any] | None:
        """The row's values; None for a blank or removed row. What is missing is reported at its field."""
        values = {field.name: cleaned.get(slot.name(field.name)) for field in editable_fields(slot.item)}
        typed = {name: value for name, value in values.items() if value not in ("", None)}
        if cleaned.get(slot.name("remove")) or not typed:
            self._forgive(slot)
            return None
        for field in editable_fields(slot.item):
            if field.metadata.get("required") and field.name not in typed and slot.name(field.name) not in self.errors:
                self.add_error(slot.name(field.name), "Please fill this in.")
        return values

    def _forgive(self, slot: Slot) -> None:
        if self.cleaned_data.get(slot.name("remove")):
            for name in slot.names:
                self.errors.pop(name, None)

    def _place(self, error: ValidationError) -> None:
        """Puts each message at its field; at the top what has none (the page's size)."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, messages in error.message_dict.items():
            self.add_error(name if name in self.fields else None, messages)

    def _post_clean(self) -> None:
        if not self.errors:  # Section.clean() would report the same again, at fields that this form may not have
            super()._post_clean()  # type: ignore[misc]


def form_for(kind: str, landing: Landing, section: Section | None = None) -> type[SectionForm]:
    """The form class of a kind's sections on a landing page, with a row for each item that `section` has."""
    cls = SECTIONS[kind]
    slots = list(slots_of(cls, section.content if section else {}))
    declared: dict[str, forms.Field] = {}
    for field in editable_fields(cls):
        if field.metadata["input"] != "items":
            declared[field.name] = field_for(field, landing.tenant)
            continue
        for slot in (slot for slot in slots if slot.group is field):
            declared |= _slot_fields(slot, landing.tenant)
    attributes = {**declared, "kind": kind, "landing": landing, "slots": slots}
    return type(f"{cls.__name__}Form", (SectionForm,), attributes)


def _slot_fields(slot: Slot, tenant: Tenant) -> dict[str, forms.Field]:
    made = {
        slot.name(field.name): field_for(field, tenant, required=False)  # blank rows are dropped
        for field in editable_fields(slot.item)
    }
    if slot.existing:
        box = widgets.UnfoldBooleanWidget()
        made[slot.name("remove")] = forms.BooleanField(label="Remove this one", required=False, widget=box)
    return made


def slots_of(cls: type, content: Any) -> Iterable[Slot]:
    for field in editable_fields(cls):
        if field.metadata["input"] == "items":
            filled = len(content.get(field.name, ()) if isinstance(content, dict) else ())
            for number in range(min(filled + BLANK_SLOTS, field.metadata["maximum"])):
                yield Slot(field, item_type(cls, field), number, existing=number < filled)


def initial_of(kind: str, slots: Sequence[Slot], content: dict[str, Any]) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    for field in editable_fields(SECTIONS[kind]):
        if field.metadata["input"] != "items":
            initial[field.name] = content.get(field.name, field.default)
    for slot in slots:
        row = content[slot.group.name][slot.number] if slot.existing else {}
        for field in editable_fields(slot.item):
            initial[slot.name(field.name)] = row.get(field.name, field.default)
    return initial


def fieldsets_for(kind: str, slots: Sequence[Slot]) -> list[tuple[str | None, dict[str, Any]]]:
    """The admin's fieldsets: the section's own fields, then one for each row of a group, the blank ones folded."""
    own = [field.name for field in editable_fields(SECTIONS[kind]) if field.metadata["input"] != "items"]
    fieldsets: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": own})]
    for slot in slots:
        first_blank = not slot.existing and slot.number == 0
        fieldsets.append((slot.title, {"fields": slot.names, "classes": () if first_blank else ("collapse",)}))
    return fieldsets


def page_with(landing: Landing, changed: Section) -> Page:
    """The draft as it will be once `changed` is saved; the page is locked for the transaction."""
    Landing.objects.select_for_update().filter(pk=landing.pk).first()
    rows = [row for row in landing.sections.all() if row.pk != changed.pk]
    blocks = [row.block for row in sorted([*rows, changed], key=lambda row: (row.position, row.pk))]
    return dataclasses.replace(landing.page, blocks=tuple(blocks))


def readable(section: Section) -> list[tuple[str, str]]:
    """Label and value of each filled field, for people who may only look."""
    cls = SECTIONS[section.kind]
    lines: list[tuple[str, str]] = []
    for field in editable_fields(cls):
        value = section.content.get(field.name, field.default)
        if field.metadata["input"] != "items":
            lines.append((field.metadata["label"], _shown(field, value)))
            continue
        for number, row in enumerate(value, 1):
            parts = (_shown(part, row.get(part.name, "")) for part in editable_fields(item_type(cls, field)))
            lines.append((f"{field.metadata['label']} {number}", " · ".join(part for part in parts if part)))
    return [(label, value) for label, value in lines if value]


def _shown(field: Declaration, value: Any) -> str:
    if field.metadata["input"] == "choice":
        return str(field.metadata["choices"].get(value, value))
    if field.metadata["input"] == "products":
        titles = apps.get_model("catalog", "Product")._default_manager.filter(pk__in=value).order_by("title")
        return ", ".join(titles.values_list("title", flat=True))
    return str(value)
