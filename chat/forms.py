"""What merchants fill in about their chat."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.widgets import (
    FILE_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from chat.imports import web
from chat.models import ChatProfile, KnowledgeSource
from chat.reading import FILE_TYPES, MAX_BYTES
from controlplane.adapters.web_pages import PageError, parsed
from tenants.checks import check_size
from tenants.documents import live_page
from tenants.models import Tenant
from tenants.models.plans import CHAT_LIMITS
from tenants.scoping import Role, ShopForm, is_platform_staff, only_shop, shops

MAX_FILES, MAX_PAGES = 20, 20
MAX_NAME = 200


class LinesField(forms.CharField):
    """A list of short texts, one a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (" ".join(line.split()) for line in (value or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class ProfileForm(ShopForm):
    suggested_questions = LinesField(help_text=ChatProfile._meta.get_field("suggested_questions").help_text)
    refused_topics = LinesField(help_text=ChatProfile._meta.get_field("refused_topics").help_text)

    class Meta:
        widgets = {"greeting": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name_caps()
        if "model" in self.fields:
            names = [name for name in settings.CHAT_MODELS if name != self.instance.model]
            choices = [
                ("", "The platform's choice"),
                *((one, one) for one in filter(None, [self.instance.model, *names])),
            ]
            self.fields["model"] = forms.ChoiceField(choices=choices, required=False, widget=UnfoldAdminSelectWidget)

    def _name_caps(self) -> None:
        plan = self.instance.tenant.limits if self.instance.tenant_id else None
        for name in CHAT_LIMITS:
            most = getattr(plan, name, None)
            if most is not None and name in self.fields:
                told = f"Your plan allows {most:,} at most; a higher figure counts as that."
                self.fields[name].help_text = f"{self.fields[name].help_text} {told}".strip()

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        tenant = self.instance.tenant
        tenant.chat = self.instance  # measured as it will be, not as it is stored
        try:
            check_size(tenant, live_page(tenant))
        except ValidationError as error:
            self.add_error(None, error)


class OneShopForm(forms.Form):
    """A form about one shop of the user's; `shop` is chosen where there are several."""

    shop = forms.ModelChoiceField(Tenant.objects.none(), to_field_name="slug", label="Shop")

    def __init__(self, request: HttpRequest, *args: Any, least: Role = Role.EDITOR, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only = only_shop(request, least)
        field: Any = self.fields["shop"]
        field.queryset = shops(request, least).order_by("name")
        field.widget = UnfoldAdminTextInputWidget() if is_platform_staff(request) else UnfoldAdminSelectWidget()
        field.widget.choices = field.choices
        if is_platform_staff(request):
            field.help_text = "The first part of its address on this platform, such as acme."
        if self.only:
            del self.fields["shop"]

    @property
    def tenant(self) -> Tenant:
        """The chosen shop, once the form is valid."""
        tenant: Tenant = self.only or self.cleaned_data["shop"]
        return tenant


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        if len(files) > MAX_FILES:
            raise ValidationError(f"At most {MAX_FILES} files at a time.")
        return [super(ManyFilesField, self).clean(one, initial) for one in files]


class UploadForm(OneShopForm):
    documents = ManyFilesField(
        label="Files",
        help_text=f"Markdown, TXT, PDF, DOCX or CSV, at most {MAX_BYTES // 1024 // 1024} MB each, {MAX_FILES} at "
        "a time. A file of the same name as one that is here replaces it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"accept": ",".join(FILE_TYPES), "class": " ".join([*FILE_CLASSES, "p-2"])}
        self.fields["documents"].widget = ManyFilesInput(attrs=attributes)


def fault_of(file: Any) -> str:
    """Why this uploaded file can't be taken, "" if it can: what shows before anything is read."""
    name = file.name or ""
    if PurePath(name).suffix.lower() not in FILE_TYPES:
        return "this kind of file can't be read. Use Markdown, TXT, PDF, DOCX or CSV."
    if len(name) > MAX_NAME:
        return f"its name is too long: at most {MAX_NAME} characters."
    if (file.size or 0) > MAX_BYTES:
        return f"it is too large: at most {MAX_BYTES // 1024 // 1024} MB."
    return ""


class PagesForm(OneShopForm):
    urls = LinesField(label="Addresses", help_text=f"One a line, at most {MAX_PAGES}: pages of your own site.")
    refresh = forms.ChoiceField(
        choices=KnowledgeSource.Refresh.choices, label="Read again", initial=KnowledgeSource.Refresh.WEEKLY,
        widget=UnfoldAdminSelectWidget, help_text="What changed on a page is then learnt by itself.",
    )  # fmt: skip

    def clean_urls(self) -> Sequence[str]:
        urls: list[str] = self.cleaned_data["urls"]
        if not urls:
            raise ValidationError("Type at least one address.")
        if len(urls) > MAX_PAGES:
            raise ValidationError(f"At most {MAX_PAGES} pages at a time.")
        return [self._address(url) for url in urls]

    def _address(self, url: str) -> str:
        url = url if "://" in url else f"https://{url}"
        try:
            address = str(parsed(url, web().ports))
        except PageError as error:
            raise ValidationError(f"{url}: {error}") from None
        if len(address) > 500:
            raise ValidationError(f"{url[:60]}…: this address is too long.")
        return address


class QuestionForm(OneShopForm):
    question = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget)


class AnswerForm(forms.ModelForm[KnowledgeSource]):
    class Meta:
        model = KnowledgeSource
        fields = ("title", "body", "url")
        labels = {"title": "Question", "body": "Answer"}
        widgets = {
            "title": UnfoldAdminTextInputWidget(),
            "body": UnfoldAdminTextareaWidget(attrs={"rows": 6}),
            "url": UnfoldAdminTextInputWidget(),
        }
