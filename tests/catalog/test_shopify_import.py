import io
from pathlib import Path
from typing import Any

import pytest

from catalog.shopify import Reading, ReadProduct, ShopifyFileError, read_products
from catalog.shopify_cells import CellError, description_of, minor_units, slug_of, status_of, stock_of, tags_of

DATA = Path(__file__).parent / "data"


def read(text: str | bytes, currency: str = "EUR") -> Reading:
    return read_products(io.BytesIO(text.encode() if isinstance(text, str) else text), currency)


def read_file(name: str, currency: str = "EUR") -> Reading:
    with (DATA / name).open("rb") as file:
        return read_products(file, currency)


def only(text: str) -> ReadProduct:
    (product,) = read(text).products
    return product


def one(**columns: str) -> dict[str, Any]:
    """The values of a file with one product that has these columns beside the required ones."""
    header = ",".join(["Handle", "Title", "Variant Price", *columns])
    cells = ",".join(["kettle", "Kettle", "9.00", *(f'"{cell}"' for cell in columns.values())])
    return only(f"{header}\n{cells}\n").values


def reasons(reading: Reading) -> dict[int, tuple[str, str]]:
    return {remark.line: (remark.reason, remark.value) for remark in reading.skipped}


def test_the_new_column_names_are_read() -> None:
    kettle, filters, wrap = read_file("new_columns.csv").products
    assert kettle.slug == "enamel-kettle"
    assert kettle.values == {
        "title": "Enamel Kettle",
        "description_html": "<p>Boils <strong>fast</strong>.</p>",
        "tags": ["Kitchen", "Camp"],
        "status": "active",
        "price": 4250,
        "compare_at_price": 5000,
        "stock": 7,
        "image_url": "https://cdn.example/front.jpg",
        "image_alt": "Front view",
    }
    assert (filters.values["status"], filters.values["stock"]) == ("draft", None)
    assert (wrap.values["status"], wrap.values["price"], wrap.values["stock"]) == ("draft", 0, None)
    assert wrap.values["image_url"] == "https://cdn.example/wrap.jpg"
    assert wrap.values["description_html"] == "<p>Plain words &amp; more</p>"


def test_rows_of_a_product_need_not_lie_together_and_what_is_not_taken_is_counted() -> None:
    reading = read_file("new_columns.csv")
    assert [product.slug for product in reading.products] == ["enamel-kettle", "paper-filters", "gift-wrap"]
    assert (reading.extra_variants, reading.extra_images) == (1, 2)
    assert reading.columns_not_taken == ["Vendor", "SKU", "Option1 name"]
    assert not reading.skipped


def test_every_bad_row_is_skipped_with_its_line_and_reason_and_the_others_are_taken() -> None:
    reading = read_file("faults.csv")
    assert [product.slug for product in reading.products] == ["good", "cheap"]
    assert reasons(reading) == {
        3: ("no handle", "Nameless"),
        4: ("no title", "no-title"),
        5: ("no price", "no-price"),
        6: ("unreadable price (write it like 1234.50)", "free"),
        7: ("unreadable price (write it like 1234.50)", "12,50"),
        8: ("negative price", "-3.00"),
        9: ("price with more decimals than EUR has", "1.005"),
        10: ("price too high", "99999999999.00"),
        11: ("another product has this handle", "good, as line 2"),
        12: ("another handle gives the same address", "Good, as line 2"),
        13: ("unreadable inventory quantity", "a few"),
        14: ("unknown status", "sold"),
        15: ("more cells than the first line has columns", ""),
    }


def test_what_does_not_fit_but_does_not_matter_is_left_out_with_a_note() -> None:
    reading = read_file("faults.csv")
    cheap = reading.products[1].values
    assert (cheap["compare_at_price"], cheap["image_url"]) == (None, "")
    assert [(note.line, note.reason) for note in reading.notes] == [
        (16, "former price left out: not above the price"),
        (16, "picture left out: not a web address"),
    ]


def test_a_line_number_is_that_of_the_rows_first_line() -> None:
    reading = read('Handle,Title,Price,Description\na,A,1,"<p>two\nlines</p>"\n\n,Nameless,1,\n')
    assert reasons(reading) == {5: ("no handle", "Nameless")}


def test_a_column_that_the_file_lacks_is_left_alone() -> None:
    assert only("URL handle,Title,Price\nkettle,Kettle,9\n").values == {"title": "Kettle", "price": 900}


def test_a_title_of_more_than_200_characters_is_refused() -> None:
    reading = read(f"Handle,Title,Price\na,{'x' * 200},1\nb,{'x' * 201},1\n")
    assert [product.slug for product in reading.products] == ["a"]
    assert reasons(reading)[3][0] == "title longer than 200 characters"


def test_a_title_repeated_on_every_row_still_means_one_product() -> None:
    reading = read("Handle,Title,Price\nmug,Mug,1\nmug,Mug,2\n")
    assert [product.values["price"] for product in reading.products] == [100]
    assert (reading.extra_variants, reading.skipped) == (1, [])


def test_without_positions_the_first_picture_in_the_file_is_taken() -> None:
    text = "Handle,Title,Price,Image Src,Image Alt Text\na,A,1,https://x.example/1.jpg,One\na,,,https://x.example/2.jpg,Two\n"
    values = only(text).values
    assert (values["image_url"], values["image_alt"]) == ("https://x.example/1.jpg", "One")


def test_over_long_picture_texts_and_addresses_do_not_cost_the_product() -> None:
    text = "Handle,Title,Price,Image Src,Image Alt Text\n"
    reading = read(f"{text}a,A,1,https://x.example/{'a' * 500},\nb,B,1,https://x.example/b.jpg,{'b' * 301}\n")
    long_address, long_text = (product.values for product in reading.products)
    assert (long_address["image_url"], len(long_text["image_alt"])) == ("", 300)
    assert len(reading.notes) == 2


def test_a_byte_order_mark_and_nul_characters_are_no_text() -> None:
    assert only("\ufeffHandle,Title,Price\nkettle,Ket\x00tle,9\n").values["title"] == "Kettle"


def test_a_cell_beyond_pythons_own_limit_is_read() -> None:
    picture = "<img src='data:" + "A" * 200_000 + "'>"
    assert one(Description=f"<p>Hi</p>{picture}")["description_html"] == "<p>Hi</p>"


def test_an_over_long_description_is_refused_not_cut() -> None:
    reading = read(f"Handle,Title,Price,Description\nkettle,Kettle,9,<p>{'x' * 20_000}</p>\n")
    assert reasons(reading)[2][0] == "description longer than 20,000 characters"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"", "The file is empty"),
        (b"\n , \n", "The file is empty"),
        (b"Name,Amount\na,1\n", "no column “Handle” or “URL handle”, no column “Title”, no column “Variant Price”"),
        (b"Handle,Title\na,A\n", r"no column “Variant Price” or “Price”\.$"),
        (b"Handle;Title;Variant Price\na;A;1\n", "Separate its columns by commas"),
        ("Handle,Title,Price\na,A,1\nb,Größe,2\n".encode("latin-1"), "Line 3 is not UTF-8"),
        ("Handle,Title,Price\n".encode("utf-16"), "Line 1 is not UTF-8"),
        (b'Handle,Title,Price\na,A,1\nb,"B,2\nc,C,3\n', "begins in line 3 is not valid CSV"),
        (b"PK\x03\x04\xff\xfe", "Line 1 is not UTF-8"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_saying_what_to_do(file: bytes, message: str) -> None:
    with pytest.raises(ShopifyFileError, match=message):
        read(file)


def test_the_file_is_left_open_for_its_owner() -> None:
    file = io.BytesIO(b"Handle,Title,Price\n")
    assert read_products(file, "EUR").products == []
    assert not file.closed


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.5", "EUR", 1250), ("12.500", "EUR", 1250), ("0", "EUR", 0), ("19.99", "USD", 1999),
        ("1200.00", "JPY", 1200), ("1.234", "KWD", 1234), ("999999999.99", "EUR", 99_999_999_999),
        ("70368744.17", "EUR", 7_036_874_417),
    ],
)  # fmt: skip
def test_prices_become_minor_units_exactly(text: str, currency: str, amount: int) -> None:
    assert minor_units(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.5", "JPY"), ("0.001", "EUR"), ("-1", "EUR"), ("1e3", "EUR"), ("$5", "EUR"), ("٣", "EUR"), ("NaN", "EUR"),
     ("9" * 40, "EUR"), ("1,000.00", "EUR"), ("", "EUR")],
)  # fmt: skip
def test_a_price_is_never_guessed_or_rounded(text: str, currency: str) -> None:
    with pytest.raises(CellError, match="price"):
        minor_units(text, currency)


@pytest.mark.parametrize(
    ("handle", "slug"),
    [
        ("blue-mug", "blue-mug"),
        ("a--b", "a--b"),
        ("Blue Mug_2", "blue-mug-2"),
        ("café-crème", "cafe-creme"),
        ("Größe", "grosse"),
        ("-x-", "x"),
    ],
)
def test_a_handle_becomes_the_nearest_address(handle: str, slug: str) -> None:
    assert slug_of(handle) == slug


def test_handles_that_lose_letters_stay_apart_and_are_found_again() -> None:
    slugs = [slug_of(handle) for handle in ("кружка", "чайник", "日本-mug", "中国-mug", "x" * 300, "x" * 301, "!!")]
    assert len(set(slugs)) == 7
    assert slugs == [
        slug_of(handle) for handle in ("кружка", "чайник", "日本-mug", "中国-mug", "x" * 300, "x" * 301, "!!")
    ]
    assert slugs[2].startswith("mug-")
    assert max(map(len, slugs)) <= 200


def test_a_changed_handle_is_noted() -> None:
    reading = read("Handle,Title,Price\nBlue Mug,Mug,1\n")
    assert [(note.line, note.value) for note in reading.notes] == [(2, "Blue Mug → blue-mug")]


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<div>One</div><div>Two</div>", "<p>One</p><p>Two</p>"),
        ("<div><p>One</p><p>&nbsp;</p></div>", "<p>One</p>"),
        ("<h1 class='x'>Hi</h1><i>there</i>", "<h3>Hi</h3><em>there</em>"),
        ("<table><tbody><tr><td>Weight</td><td>2 kg</td></tr></tbody></table>", "<p>Weight 2 kg </p>"),
        ("<a href='javascript:x'>y</a><img src=x onerror=y>", '<a rel="noopener nofollow">y</a>'),
        ("First\n\nSecond & last", "<p>First</p>\n\n<p>Second &amp; last</p>"),
        ("<body><base><button>b</button>", "b"),
        ("", ""),
    ],
)
def test_a_description_is_sanitised_and_stays_readable(html: str, clean: str) -> None:
    assert description_of(html) == clean


def test_tags_are_split_told_apart_without_case_and_held_to_our_limits() -> None:
    assert tags_of(" Red, red ,Blue,, RED") == (["Red", "Blue"], [])
    assert tags_of("a," + "x" * 61) == (["a"], ["x" * 61])
    taken, unfit = tags_of(",".join(f"tag{n}" for n in range(52)))
    assert (len(taken), unfit) == (50, ["tag50", "tag51"])


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({}, None), ({"status": ""}, "active"), ({"status": "Archived", "published": "TRUE"}, "archived"),
        ({"status": "active", "published": "false"}, "draft"), ({"published": ""}, "active"),
        ({"published": "FALSE"}, "draft"), ({"status": "unlisted"}, "draft"), ({"status": "draft"}, "draft"),
    ],
)  # fmt: skip
def test_only_what_the_online_store_shows_is_active(cells: dict[str, str], status: str | None) -> None:
    assert status_of(cells) == status


def test_an_unknown_word_in_published_is_not_taken_for_true() -> None:
    with pytest.raises(CellError):
        status_of({"published": "WAHR?"})


@pytest.mark.parametrize(
    ("cells", "stock"),
    [
        ({"tracker": "shopify", "quantity": "5", "policy": "deny"}, {"stock": 5}),
        ({"tracker": "shopify", "quantity": "5", "policy": "continue"}, {"stock": None}),
        ({"tracker": "", "quantity": "5", "policy": "deny"}, {"stock": None}),
        ({"tracker": "shopify", "quantity": "", "policy": "deny"}, {"stock": 0}),
        ({"tracker": "shopify", "quantity": "-3"}, {"stock": -3}),
        ({"quantity": "5.0"}, {"stock": 5}),
        ({"quantity": ""}, {"stock": None}),
        ({"tracker": "shopify"}, {}),
        ({}, {}),
    ],
)
def test_stock_is_what_shoppers_could_still_buy(cells: dict[str, str], stock: dict[str, int | None]) -> None:
    assert stock_of(cells) == stock
