"""The product form: prices as merchants type them, tags in one line."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.models import Product
from storefront.documents import decimal_string, decimals
from tenants.pictures.fields import PictureInput
from tenants.publishing_line import address_of
from tenants.rich_text import RichTextWidget
from tenants.scoping import ShopForm

_SPACES = re.compile(r"[\s\u00a0\u202f'’]")
_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)([.,])([0-9]+)")
_PLAIN = re.compile(r"([0-9]{1,15})(?:[.,]([0-9]+))?")


def minor_units(text: str, currency: str) -> int:
    """A typed price ("12.50", "12,50", "1.234,50") in minor units of `currency`, exactly.

    One separator is the decimal mark; grouping counts only beside one. Raises ValidationError otherwise.
    """
    whole, part = _parts(_SPACES.sub("", text))
    digits = decimals(currency)
    if len(part) > digits:
        allowed = f"at most {digits} decimals" if digits else "no decimals"
        raise ValidationError(f"Prices in {currency} have {allowed}, such as {decimal_string(125_000, currency)}.")
    return int(Decimal(f"{whole}.{part or 0}").scaleb(digits))


def _parts(bare: str) -> tuple[str, str]:
    if (grouped := _GROUPED.fullmatch(bare)) and grouped[2] != grouped[3]:
        return re.sub("[.,]", "", grouped[1]), grouped[4]
    if plain := _PLAIN.fullmatch(bare):
        return plain[1], plain[2] or ""
    raise ValidationError("Type a price such as 12.50.")


class MoneyField(forms.CharField):
    """A price in major units of `currency`; cleans to minor units, or None if it is empty and optional."""

    currency = "EUR"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return minor_units(text, self.currency) if text else None

    def prepare_value(self, value: Any) -> Any:
        return decimal_string(value, self.currency) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class TagsField(forms.CharField):
    """Words separated by commas; cleans to a list without repeats."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(), **kwargs)

    def clean(self, value: Any) -> Any:
        tags = (" ".join(tag.split()) for tag in super().clean(value).split(","))
        return list(dict.fromkeys(tag for tag in tags if tag))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class ProductForm(ShopForm):
    price = MoneyField()
    compare_at_price = MoneyField(required=False, label="Former price")
    tags = TagsField(required=False, help_text="Separated by commas.")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()
        widgets = {"description_html": RichTextWidget(), "image_url": PictureInput(alt="image_alt")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose_pictures_of_the_shop()
        if currency := self._currency():
            example = f"In {currency}, such as {decimal_string(125_000, currency)}."
            for name, text in (("price", example), ("compare_at_price", f"{example} Shown struck through.")):
                field = self.fields.get(name)
                if isinstance(field, MoneyField):
                    field.currency, field.help_text = currency, text

    def _choose_pictures_of_the_shop(self) -> None:
        field = self.fields.get("image_url")  # not in a form of somebody who only looks
        if field is not None and isinstance(field.widget, PictureInput) and self.instance.tenant_id:
            field.widget.shop = str(self.instance.tenant_id)
            field.widget.base = address_of(self.instance.tenant).removesuffix("/")

    def _currency(self) -> str:
        """Of the product's shop, or of the one just chosen; empty while none is chosen."""
        if self.instance.tenant_id:
            return str(self.instance.tenant.currency)
        chooser = self.fields.get("tenant")
        if not isinstance(chooser, forms.ModelChoiceField) or not self.is_bound:
            return ""
        try:
            return str(chooser.clean(self.data.get(self.add_prefix("tenant"))).currency)
        except ValidationError:
            return ""  # the chooser reports it

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        tenant, slug = cleaned.get("tenant") or getattr(self.instance, "tenant", None), cleaned.get("slug")
        if tenant and slug and Product.objects.filter(tenant=tenant, slug=slug).exclude(pk=self.instance.pk).exists():
            self.add_error("slug", "Another product of this shop has this address already.")
        return cleaned
