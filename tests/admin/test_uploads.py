"""The picture library: what may be uploaded, what becomes of it, who sees it, where it is used."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageCms

from catalog.models import Product
from tenants.models import Landing, Picture, Section
from tenants.pictures import library
from tenants.pictures.library import prepare
from tenants.pictures.rendering import render
from tests.admin.pictures import add, encoded, file, noise, png_that_claims

UPLOAD = reverse("admin:tenants_picture_upload")
LIBRARY = reverse("admin:tenants_picture_library")
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def send(
    client: Client, shop: Any, name: str = "kettle.png", data: bytes | None = None, kind: str = "image/png"
) -> Any:
    return client.post(UPLOAD, {"shop": str(shop.tenant.pk), "file": file(name, data, kind)})


def stored() -> list[Path]:
    return sorted(path for path in (settings.MEDIA_ROOT / "pictures").rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def empty_library(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> None:
    """Without the picture that every shop of the walk has."""
    settings.MEDIA_ROOT = tmp_path / "unused"
    shops = [request.getfixturevalue(name) for name in ("acme", "globex") if name in request.fixturenames]
    Picture.objects.filter(tenant__in=[shop.tenant for shop in shops]).delete() if shops else None
    settings.MEDIA_ROOT = tmp_path / "media"


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(picture: Picture, width: int | None = None) -> Image.Image:
    with default_storage.open(picture.name_at(width or picture.width)) as data:
        image = Image.open(data)
        image.load()
        return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_picture_of_each_format_becomes_webp_in_the_widths_that_browsers_choose_from(
    kind: str, acme: Any, owner: Client
) -> None:
    answer = send(owner, acme, f"kettle.{kind.lower()}", encoded(kind, (2000, 1000))).json()
    picture = Picture.objects.get()
    assert (picture.width, picture.height, picture.tenant) == (1600, 800, acme.tenant)
    assert answer["picture"]["url"] == f"{settings.MEDIA_URL}pictures/{acme.tenant.pk}/{picture.pk}/1600.webp"
    assert [path.name for path in stored()] == ["1600.webp", "400.webp", "800.webp"]
    for width in (400, 800, 1600):
        image = opened(picture, width)
        assert (image.format, image.size) == ("WEBP", (width, width // 2))
    assert picture.bytes == sum(path.stat().st_size for path in stored())


def test_a_small_picture_is_not_blown_up(acme: Any) -> None:
    picture = add(acme.tenant, size=(120, 80))
    assert picture.widths == [120]
    assert picture.url == picture.thumb


def test_a_tall_picture_is_bounded_too(acme: Any) -> None:
    assert add(acme.tenant, size=(300, 9000)).height == 2400


def test_where_and_when_it_was_taken_is_gone_and_it_stands_upright(acme: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # GPSLatitude
    exif[0x010F] = "Secret Camera"
    original = noise((300, 200))
    original.putpixel((0, 0), (1, 2, 3))
    data = saved(original, "JPEG", exif=exif, xmp=b"<x:xmpmeta>Secret Place</x:xmpmeta>", comment=b"Secret Note")
    assert b"Secret Camera" in data
    picture = prepare(acme.tenant, file("a.jpg", data)).keep()
    image = opened(picture)
    assert image.size == (200, 300)
    assert not dict(image.getexif())
    assert all(b"Secret" not in path.read_bytes() and b"EXIF" not in path.read_bytes() for path in stored())


def test_wide_colours_become_those_of_the_web(acme: Any) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))  # any that is not sRGB
    image = Image.new("RGB", (40, 40), (120, 60, 200))
    plain = opened(prepare(acme.tenant, file("a.png", saved(image, "PNG"))).keep())
    strange = saved(image, "PNG", icc_profile=profile.tobytes())
    kept = opened(prepare(acme.tenant, file("b.png", strange)).keep())  # a profile that does not fit is left out
    assert kept.getpixel((5, 5)) == plain.getpixel((5, 5))
    assert "icc_profile" not in kept.info


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("P", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("RGBA", "PNG")],
)
def test_every_way_to_write_colours_down_is_read(mode: str, kind: str, acme: Any) -> None:
    data = saved(Image.new(mode, (50, 40)), kind)
    image = opened(prepare(acme.tenant, file("a", data)).keep())
    assert image.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")


def test_what_is_see_through_stays_so_and_a_drawing_stays_exact(acme: Any) -> None:
    image = opened(prepare(acme.tenant, file("logo.png", encoded(size=(60, 60), colour=(9, 80, 33, 0)))).keep())
    assert image.convert("RGBA").getpixel((3, 3))[3] == 0  # type: ignore[index]
    exact = opened(prepare(acme.tenant, file("flat.png", encoded(size=(60, 60), colour=(9, 81, 33)))).keep())
    assert exact.getpixel((3, 3)) == (9, 81, 33)


@pytest.mark.parametrize(
    ("name", "data", "kind", "said"),
    [
        ("logo.svg", SVG, "image/svg+xml", "SVG pictures can't be uploaded"),
        ("logo.png", SVG, "image/png", "SVG pictures can't be uploaded"),
        ("logo.png", b"\n" * 3000 + SVG, "image/png", "SVG pictures can't be uploaded"),
        ("page.png", b"<html><script>alert(1)</script>", "image/png", "no picture"),
        ("empty.png", b"", "image/png", "empty"),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 400, "image/heic", "no picture"),
        ("fax.tiff", saved(Image.new("RGB", (9, 9)), "TIFF"), "image/png", "no picture"),
        ("old.bmp", saved(Image.new("RGB", (9, 9)), "BMP"), "image/png", "no picture"),
        ("print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png", "no picture"),
        ("broken.png", encoded()[:200], "image/png", "damaged"),
        ("broken.jpg", saved(noise(), "JPEG")[:900], "image/jpeg", "damaged"),
        ("bomb.png", png_that_claims(60_000, 60_000), "image/png", "too many pixels"),
        ("bomb.png", png_that_claims(2**31 - 1, 2**31 - 1), "image/png", "too many pixels"),
        ("wide.png", png_that_claims(10_000, 8_000), "image/png", "too many pixels"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_what_is_no_usable_picture_is_refused_in_words(
    name: str, data: bytes, kind: str, said: str, acme: Any, owner: Client
) -> None:
    answer = send(owner, acme, name, data, kind)
    assert answer.status_code == 422
    assert said in answer.json()["message"]
    page = owner.post(reverse("admin:tenants_picture_add"), {"upload": file(name, data, kind)})
    assert page.status_code == 200
    assert said in page.content.decode().replace("&#x27;", "'") or not data
    assert not Picture.objects.exists()
    assert not stored()


def test_the_content_decides_not_the_name(acme: Any, owner: Client) -> None:
    assert send(owner, acme, "kettle.html", encoded("JPEG"), "text/html").status_code == 200
    assert {path.suffix for path in stored()} == {".webp"}


@pytest.mark.parametrize(
    "polyglot",
    [
        encoded("GIF", (9, 9)) + b"<script>alert('gif')</script>",
        encoded("JPEG", (9, 9), comment=b"<?php evil(); ?>"),
        encoded("PNG", (9, 9)) + b"PK\x03\x04 a zip behind it",
    ],
    ids=["page", "script", "archive"],
)
def test_a_file_that_is_a_picture_and_something_else_ends_as_a_picture(polyglot: bytes, acme: Any) -> None:
    prepare(acme.tenant, file("a.gif", polyglot)).keep()
    for path in stored():
        data = path.read_bytes()
        assert data[:4] == b"RIFF"
        assert not any(part in data for part in (b"script", b"php", b"PK\x03\x04"))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x", "a\0b.png", "..", ".", "x" * 300, "<b>.png", "CON"],
)
def test_a_file_name_is_never_a_path(name: str, acme: Any, owner: Client) -> None:
    upload = file()
    vars(upload)["_name"] = name  # as a client that minds nothing would send it
    picture = prepare(acme.tenant, upload).keep()
    assert [path.parent for path in stored()] == [settings.MEDIA_ROOT / f"pictures/{acme.tenant.pk}/{picture.pk}"] * 3
    assert not {"/", "\\", "\0", "<"} & set(picture.name)
    assert 0 < len(picture.name) <= 120
    page = owner.get(reverse("admin:tenants_picture_change", args=[picture.pk]))
    assert page.status_code == 200


def test_the_same_picture_is_kept_once_a_shop(acme: Any, globex: Any, owner: Client) -> None:
    first = send(owner, acme).json()
    again = send(owner, acme, "other-name.png").json()
    assert (first["known"], again["known"]) == (False, True)
    assert first["picture"] == again["picture"]
    prepare(globex.tenant, file()).keep()
    assert Picture.objects.count() == 2
    assert len(stored()) == 6


def test_the_same_picture_twice_at_once_is_one_and_leaves_no_file_behind(acme: Any) -> None:
    one, other = (prepare(acme.tenant, file()) for _ in range(2))
    assert one.keep() == other.keep()
    assert Picture.objects.count() == 1
    assert len(stored()) == 3


def test_a_full_library_takes_no_more(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add(acme.tenant)
    monkeypatch.setattr(library, "MOST_PICTURES", 1)
    with pytest.raises(ValidationError, match="full"):
        prepare(acme.tenant, file())


def test_a_picture_a_little_too_large_is_refused_in_words(acme: Any, owner: Client) -> None:
    answer = send(owner, acme, data=encoded() + b"\0" * 10 * 1024 * 1024)
    assert (answer.status_code, answer.json()["message"]) == (422, "This picture is too large: at most 10 MB.")


# Who sees and changes what.


@pytest.mark.parametrize(("role", "status"), [("", 404), ("viewer", 403), ("editor", 200), ("owner", 200)])
def test_only_who_may_change_the_shop_uploads_into_it(role: str, status: int, acme: Any, person: Any) -> None:
    assert send(person(role, acme) if role else person(), acme).status_code == status
    assert Picture.objects.count() == (status == 200)


@pytest.mark.parametrize("shop", ["", "no-id", "0198b0c0-0000-7000-8000-000000000000", None])
def test_a_shop_that_is_not_the_user_s_has_no_library(shop: str | None, acme: Any, globex: Any, owner: Client) -> None:
    add(globex.tenant)
    shop = str(globex.tenant.pk) if shop is None else shop
    assert owner.get(LIBRARY, {"shop": shop}).status_code == 404
    assert owner.post(UPLOAD, {"shop": shop, "file": file()}).status_code == 404
    assert Picture.objects.count() == 1


def test_the_library_shows_this_shop_s_pictures_newest_first_and_finds_them(
    acme: Any, globex: Any, owner: Client
) -> None:
    kettle, mug, _ = add(acme.tenant, "kettle.png"), add(acme.tenant, "mug.png"), add(globex.tenant, "spy.png")
    query = {"shop": str(acme.tenant.pk)}
    assert [one["id"] for one in owner.get(LIBRARY, query).json()["pictures"]] == [str(mug.pk), str(kettle.pk)]
    assert [one["title"] for one in owner.get(LIBRARY, query | {"q": "KETT"}).json()["pictures"]] == ["kettle.png"]
    page = owner.get(LIBRARY, query | {"before": str(mug.pk)}).json()
    assert ([one["id"] for one in page["pictures"]], page["more"]) == ([str(kettle.pk)], False)
    assert "spy" not in owner.get(reverse("admin:tenants_picture_changelist")).content.decode()


def test_a_picture_is_added_without_scripts_too(acme: Any, owner: Client) -> None:
    answer = owner.post(reverse("admin:tenants_picture_add"), {"upload": file("Tea cup.png"), "alt": "A cup"})
    assert answer.status_code == 302
    picture = Picture.objects.get()
    assert (picture.name, picture.alt, picture.tenant) == ("Tea_cup.png", "A cup", acme.tenant)
    page = owner.get(reverse("admin:tenants_picture_change", args=[picture.pk])).content.decode()
    assert "Nowhere at the moment" in page
    assert "1200 × 900" in page


def test_who_has_two_shops_says_which_one(acme: Any, globex: Any, person: Any) -> None:
    client = person("editor", acme, globex)
    client.post(reverse("admin:tenants_picture_add"), {"upload": file(), "tenant": str(globex.tenant.pk)})
    assert Picture.objects.get().tenant == globex.tenant
    page = client.get(reverse("admin:tenants_picture_changelist")).content.decode()
    assert all(f'<option value="{shop.tenant.pk}">' in page for shop in (acme, globex))


# Where it is used, and how it goes.


@pytest.fixture
def used(acme: Any) -> Picture:
    picture = add(acme.tenant)
    Product.objects.filter(pk=acme.product.pk).update(image_url=picture.url)
    Section.objects.create(landing=acme.landing, kind="hero", position=9, content={
        "heading": "Tea", "image_url": picture.url.replace("1200.webp", "800.webp")})  # fmt: skip
    Landing.objects.get(pk=acme.landing.pk).publish(None)
    return picture


def test_a_picture_in_use_says_where_and_stays(used: Picture, acme: Any, owner: Client) -> None:
    places = ("the live landing page", "the landing page as you edit it", "the product “acme kettle”")
    target = reverse("admin:tenants_picture_delete", args=[used.pk])
    chosen = {"action": "delete_selected", "_selected_action": [str(used.pk)], "post": "yes"}
    for page in (owner.get(target), owner.post(target, {"post": "yes"}, follow=True),
                 owner.get(reverse("admin:tenants_picture_change", args=[used.pk])),
                 owner.post(reverse("admin:tenants_picture_changelist"), chosen)):  # fmt: skip
        assert all(place in page.content.decode() for place in places)
    assert Picture.objects.exists()
    Landing.objects.get(pk=acme.landing.pk).unpublish(None)
    Section.objects.all().delete()
    Product.objects.update(image_url="")
    owner.post(target, {"post": "yes"})
    assert not Picture.objects.exists()


def test_files_go_with_the_row_once_that_is_certain(
    acme: Any, globex: Any, django_capture_on_commit_callbacks: Any
) -> None:
    one, _, theirs = add(acme.tenant, "a.png"), add(acme.tenant, "b.png"), add(globex.tenant)
    with django_capture_on_commit_callbacks() as pending:
        one.delete()
    assert len(stored()) == 9  # the transaction might still fail
    for work in pending:
        work()
    assert len(stored()) == 6
    with django_capture_on_commit_callbacks(execute=True):
        acme.tenant.delete()
    assert {path.parent.name for path in stored()} == {str(theirs.pk)}


def test_a_storage_that_is_away_keeps_no_row_alive(acme: Any, settings: Any, caplog: Any) -> None:
    picture = add(acme.tenant)
    folder = settings.MEDIA_ROOT / f"pictures/{acme.tenant.pk}/{picture.pk}/800.webp"
    folder.unlink()
    folder.mkdir()
    (folder / "in-the-way").touch()
    from tenants.models.pictures import remove_files

    remove_files(picture.names)
    assert "Could not delete the file" in caplog.text
    assert [path.name for path in stored()] == ["in-the-way"]


# How it is served on a developer's machine.


def test_a_picture_is_served_as_a_picture_and_nothing_else(acme: Any) -> None:
    picture = add(acme.tenant)
    answer = Client().get(f"/media/{picture.name_at(800)}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.content.startswith(b"RIFF")
    (settings.MEDIA_ROOT / "secret.html").write_text("<script>")
    for path in ("secret.html", "../db.sqlite3", "pictures/", f"pictures/{acme.tenant.pk}/",
                 f"pictures/{acme.tenant.pk}/{picture.pk}/3.webp"):  # fmt: skip
        assert Client().get(f"/media/{path}").status_code == 404, path


def test_decoding_a_telephone_s_picture_takes_no_more_than_it_needs() -> None:
    data = io.BytesIO(saved(Image.new("RGB", (8000, 6000), (3, 90, 200)), "JPEG"))
    assert render(data).width == 1600
