"""Applies the rules to what goes live: what is refused is told to the merchant, what is suspicious to moderators."""

import dataclasses
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from storefront.documents import SECTIONS, Link, Section, Seo
from tenants.content import Problems, editable_fields, item_type
from tenants.flags.rules import Hit, current

if TYPE_CHECKING:
    from tenants.models import Tenant
    from tenants.page import Page

READ = {"text", "paragraph", "rich", "link", "image", "email"}
"""Inputs that hold what shoppers read or follow."""

TOLD = 5
"""Things that are named at a time; a page full of them is not."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Text:
    """One field of something that goes live: `where` and `field` are for people, `key` is the editor's path."""

    subject: str
    field: str = ""
    value: str = ""
    subject_id: str = ""
    where: str = ""
    key: str = ""
    is_markup: bool = False

    @property
    def path(self) -> str:
        return f"{self.where} › {self.field}"[:300]

    def hits(self, locale: str | None) -> Iterator[Hit]:
        """None: by the rules of every language."""
        language = None if locale is None else language_of(locale)
        return current().hits(self.value, language, is_markup=self.is_markup)


def language_of(locale: str) -> str:
    return locale.replace("_", "-").split("-")[0].lower()


def message_of(text: Text, hit: Hit) -> str:
    return f"{text.field}: {hit.what} is not allowed on this platform. Remove it and try again."


# --- refusing ---


def refusals(texts: Iterable[Text], locale: str) -> dict[Text, str]:
    """By text, what keeps it from going live."""
    found: dict[Text, str] = {}
    for text in texts:
        told = [message_of(text, hit) for hit in text.hits(locale) if hit.refused]
        if told:
            found[text] = " ".join(told[:TOLD])
    return found


def refusals_of_page(page: "Page", locale: str) -> Problems:
    """By the editor's path."""
    return {text.key: message for text, message in refusals(texts_of(page), locale).items()}


def complaint(tenant: "Tenant", texts: Iterable[Text]) -> str:
    """Why these texts may not go live, "" if they may."""
    found = refusals(texts, tenant.locale)
    return " ".join(f"{text.where}, {message}" for text, message in [*found.items()][:TOLD])


def refuse(tenant: "Tenant", texts: Iterable[Text]) -> None:
    """Raises ValidationError with a message for each text that may not go live."""
    if found := refusals(texts, tenant.locale):
        raise ValidationError([*found.values()])


# --- flagging ---


def flag(tenant_id: uuid.UUID, texts: Sequence[Text], *, live: bool = True) -> None:
    """Opens a flag for each thing that the rules find; of what is not live only what would run in a browser."""
    from tenants.models import Tenant

    suspicious = [text for text in texts if any(live or hit.kind == "script" for hit in text.hits(None))]
    if not suspicious:
        return  # nearly always, and without a query
    tenant = Tenant.objects.get(pk=tenant_id)
    for text in suspicious:
        for hit in text.hits(tenant.locale):
            if live or hit.kind == "script":
                put(tenant, text, hit)


def flag_page(tenant: "Tenant", page: "Page") -> None:
    flag(tenant.pk, [*texts_of(page)])


def flag_stripped(tenant: "Tenant", sent: Mapping[str, Any]) -> None:
    """Flags what a browser sent for rich text that would have run: it is stripped, but somebody tried."""
    for text in _rich_texts(sent):
        for hit in text.hits(tenant.locale):
            if hit.kind == "script":
                put(tenant, text, hit)


def put(tenant: "Tenant", text: Text, hit: Hit) -> None:
    """One flag for one rule in one field, however often it is published.

    What was resolved comes back when it is found again; what was dismissed only if the words around have changed.
    """
    from tenants.models import Flag

    flag, created = Flag.put(
        tenant, merge=("rule", text.subject, text.subject_id, text.field, hit.rule), source=Flag.Source.RULE,
        kind=hit.kind, subject=text.subject, subject_id=text.subject_id, path=text.path, excerpt=hit.excerpt,
    )  # fmt: skip
    if created or (flag.status == Flag.Status.DISMISSED and flag.excerpt == hit.excerpt):
        return
    if flag.closed:
        flag.bring_back("Opened again: it was published again.")
    if flag.excerpt != hit.excerpt:
        flag.excerpt = hit.excerpt
        flag.save(update_fields=["excerpt"])


# --- what there is to read ---


def texts_of(page: "Page") -> Iterator[Text]:
    """Every text and link that shoppers see on a page."""
    sharing = Text(subject="landing", where="Landing page, search and sharing", key="seo.")
    yield from _fields(Seo, dataclasses.asdict(page.seo), sharing)
    for number, link in enumerate(page.navigation):
        menu = Text(subject="landing", subject_id=str(number), where="Landing page, menu", key=f"navigation.{number}.")
        yield from _fields(Link, dataclasses.asdict(link), menu)
    for block in page.blocks:
        if not block.hidden:
            place = _place(type(block.section), block.id)
            yield from _fields(type(block.section), block.content, place)


def _place(cls: type[Section], id_: str) -> Text:
    return Text(subject="section", subject_id=id_[:64], where=f"Landing page, {cls.label}", key=f"sections.{id_}.")


def _fields(cls: type, values: Mapping[str, Any], place: Text) -> Iterator[Text]:
    """The texts in a section's, an item's or a link's fields; `place` says what all of them have in common."""
    for field in editable_fields(cls):
        kind, value, label = field.metadata["input"], values.get(field.name), place.field + field.metadata["label"]
        key = place.key + field.name
        if kind == "items" and isinstance(value, (list, tuple)):
            for number, row in enumerate(value):
                if isinstance(row, Mapping):
                    inside = dataclasses.replace(place, field=f"{label} {number + 1}, ", key=f"{key}.{number}.")
                    yield from _fields(item_type(cls, field), row, inside)
        elif kind in READ and isinstance(value, str) and value:
            yield dataclasses.replace(place, field=label, value=value, key=key, is_markup=kind == "rich")


def _rich_texts(sent: Mapping[str, Any]) -> Iterator[Text]:
    """The rich text in a page as a browser sent it, before it is sanitised."""
    sections = sent.get("sections")
    for one in sections if isinstance(sections, list) else []:
        cls = SECTIONS.get(str(one.get("kind"))) if isinstance(one, dict) else None
        if cls is not None:
            found = _fields(cls, one, _place(cls, str(one.get("id", ""))))
            yield from (text for text in found if text.is_markup)
