from typing import Any
from uuid import uuid4

import pytest

from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import ADMIN
from tests.plugins.instant import product, tenant

SHOP = "11111111-1111-4111-8111-111111111111"
MUG = "22222222-2222-4222-8222-222222222222"
BOWL = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def engine(instant_engine: Engine) -> Engine:
    """A shop with one linked product, at transaction 2 or so."""
    instant_engine.transact(ADMIN, [["update", "tenants", SHOP, tenant()]])
    write(instant_engine, ["update", "products", MUG, product(SHOP)], ["link", "products", MUG, {"tenant": SHOP}])
    return instant_engine


def write(engine: Engine, *steps: Any) -> int:
    return engine.transact(ADMIN, list(steps))


def refusal(engine: Engine, *steps: Any) -> Refusal:
    """What the server says; whatever it refuses must leave the shop exactly as it was."""
    before = everything(engine)
    with pytest.raises(Refusal) as caught:
        write(engine, *steps)
    assert everything(engine) == before
    return caught.value


def everything(engine: Engine) -> dict[str, Any]:
    return engine.query(ADMIN, {"tenants": {"products": {}}, "products": {"tenant": {}}})


def get(engine: Engine, entity: str, namespace: str = "products") -> dict[str, Any]:
    found: list[dict[str, Any]] = engine.query(ADMIN, {namespace: {"$": {"where": {"id": entity}}}})[namespace]
    return found[0]


def test_an_update_changes_what_it_names_and_keeps_the_rest(engine: Engine) -> None:
    write(engine, ["update", "products", MUG, {"price": 7}])
    assert get(engine, MUG) == {**product(SHOP), "id": MUG, "price": 7, "tenant": SHOP}


def test_a_rejected_step_leaves_everything_as_it_was(engine: Engine) -> None:
    new = ["update", "products", BOWL, product(SHOP, 1)]
    changed, bad = ["update", "products", MUG, {"price": 1}], ["update", "products", MUG, {"price": "free"}]
    link, gone = ["link", "products", BOWL, {"tenant": SHOP}], ["delete", "tenants", SHOP]
    assert refusal(engine, new, link, changed, gone, bad).kind == "validation-failed"


def test_transaction_ids_grow_and_a_refused_one_is_not_counted_as_written(engine: Engine) -> None:
    first = write(engine, ["update", "products", MUG, {"price": 1}])
    refusal(engine, ["update", "products", MUG, {"price": "free"}])
    assert write(engine, ["update", "products", MUG, {"price": 2}]) > first


def test_an_update_of_nothing_but_a_missing_attribute_is_refused_by_name(engine: Engine) -> None:
    error = refusal(engine, ["update", "products", MUG, {"pirce": 1}])
    assert error.message == "Validation failed for steps: Attributes are missing in your schema"
    assert error.hint["errors"][0]["hint"] == {"attributes": ["products.pirce"]}


def test_a_missing_link_or_namespace_is_refused_too(engine: Engine) -> None:
    assert refusal(engine, ["link", "products", MUG, {"shop": SHOP}]).kind == "validation-failed"
    error = refusal(engine, ["update", "notes", MUG, {"a": 1}])
    assert error.hint["errors"][0]["hint"] == {"attributes": ["notes.id", "notes.a"]}


@pytest.mark.parametrize(
    ("label", "value", "given"),
    [
        ("price", "3", "string"),
        ("price", True, "boolean"),
        ("title", 3, "number"),
        ("available", 1, "number"),
        ("title", ["a"], "array"),
        ("updatedAt", {}, "object"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_as_the_vendor_words_it(
    engine: Engine, label: str, value: object, given: str
) -> None:
    error = refusal(engine, ["update", "products", MUG, {label: value}])
    assert error.message.startswith(f"Invalid value type for products.{label}. Value must be a ")
    assert error.message.endswith(f" but the provided value type is {given}.")
    assert error.hint["attribute"] == label


def test_a_required_attribute_can_be_neither_missing_nor_null(engine: Engine) -> None:
    titleless = {key: value for key, value in product(SHOP, 1).items() if key != "title"}
    error = refusal(engine, ["update", "products", BOWL, titleless])
    assert error.message == f"Missing required attribute `products/title`: {BOWL}"
    assert refusal(engine, ["update", "products", MUG, {"title": None}]).kind == "validation-failed"


def test_an_optional_attribute_may_be_null(engine: Engine) -> None:
    write(engine, ["update", "products", MUG, {"stock": 3}])
    write(engine, ["update", "products", MUG, {"stock": None}])
    assert get(engine, MUG)["stock"] is None


def test_a_taken_unique_value_is_refused_and_names_the_attribute(engine: Engine) -> None:
    error = refusal(engine, ["update", "tenants", BOWL, tenant()])
    assert (error.kind, error.status) == ("record-not-unique", 400)
    assert error.message == (
        '`slug` is a unique attribute on `tenants` and an entity already exists with `tenants.slug` = "nordkap"'
    )
    assert error.hint["etype"] == "tenants"


def test_two_new_entities_of_one_transaction_cannot_share_a_unique_value(engine: Engine) -> None:
    steps = [["update", "tenants", str(uuid4()), tenant("twin")] for _ in range(2)]
    assert refusal(engine, *steps).kind == "record-not-unique"


def test_an_indexed_value_has_at_most_1024_bytes_with_the_12_of_its_own(engine: Engine) -> None:
    write(engine, ["update", "products", MUG, {"title": "ü" * 506}])
    assert refusal(engine, ["update", "products", MUG, {"title": "ü" * 507}]).hint["value-too-large?"]
    write(engine, ["update", "products", MUG, {"descriptionHtml": "x" * 50_000}])


def test_a_null_byte_is_refused_and_its_spelling_is_not(engine: Engine) -> None:
    assert "null bytes" in refusal(engine, ["update", "products", MUG, {"descriptionHtml": "a\0b"}]).message
    write(engine, ["update", "products", MUG, {"descriptionHtml": "a\\u0000b"}])


def test_create_refuses_what_exists_and_a_strict_update_what_does_not(engine: Engine) -> None:
    assert f"Creating entities that exist: {MUG}" in refusal(engine, ["create", "products", MUG, product(SHOP)]).message
    strict = ["update", "products", BOWL, product(SHOP, 1), {"upsert": False}]
    assert f"Updating entities that don't exist: {BOWL}" in refusal(engine, strict).message
    write(engine, ["create", "products", BOWL, product(SHOP, 1)])
    write(engine, strict)


def test_merge_goes_into_objects_and_null_removes_a_key(engine: Engine) -> None:
    write(engine, ["update", "products", MUG, {"tags": {"a": {"x": 1, "y": 2}, "b": 1}}])
    write(engine, ["merge", "products", MUG, {"tags": {"a": {"x": None, "z": 3}, "b": [1]}}])
    assert get(engine, MUG)["tags"] == {"a": {"y": 2, "z": 3}, "b": [1]}


@pytest.mark.parametrize("eid", [["slug", "nordkap"], {"slug": "nordkap"}, 'lookup__slug__"nordkap"'])
def test_an_entity_is_found_by_a_lookup_in_any_of_its_three_forms(engine: Engine, eid: Any) -> None:
    write(engine, ["update", "tenants", eid, {"name": "Found"}])
    assert get(engine, SHOP, "tenants")["name"] == "Found"


def test_a_lookup_of_nothing_creates_the_entity(engine: Engine) -> None:
    values = {key: value for key, value in tenant("fresh").items() if key != "slug"}
    write(engine, ["update", "tenants", ["slug", "fresh"], values])
    assert {entity["slug"] for entity in everything(engine)["tenants"]} == {"nordkap", "fresh"}


def test_a_lookup_that_creates_cannot_also_write_its_attribute(engine: Engine) -> None:
    assert refusal(engine, ["update", "tenants", ["slug", "fresh"], tenant("other")]).hint["data-type"] == "lookup"


def test_a_lookup_needs_a_unique_attribute(engine: Engine) -> None:
    assert "is not a unique attribute on products" in refusal(engine, ["delete", "products", ["title", "x"]]).message


def test_a_link_can_name_both_ends_by_lookup_and_from_either_side(engine: Engine) -> None:
    write(engine, ["update", "products", BOWL, product(SHOP, 1)])
    write(engine, ["link", "tenants", ["slug", "nordkap"], {"products": [BOWL]}])
    write(engine, ["unlink", "products", MUG, {"tenant": 'lookup__slug__"nordkap"'}])
    (shop,) = everything(engine)["tenants"]
    assert [entity["id"] for entity in shop["products"]] == [BOWL]
    assert "does not exist" in refusal(engine, ["link", "products", MUG, {"tenant": {"slug": "nobody"}}]).message


def test_a_link_to_one_moves_when_it_is_written_again(engine: Engine) -> None:
    write(engine, ["update", "tenants", BOWL, tenant("other")], ["link", "products", MUG, {"tenant": BOWL}])
    assert get(engine, MUG)["tenant"] == BOWL


def test_a_deleted_entity_takes_its_links_along_and_deleting_it_again_is_fine(engine: Engine) -> None:
    for _ in range(2):
        write(engine, ["delete", "products", MUG, None])
    assert everything(engine) == {"products": [], "tenants": [{**tenant(), "id": SHOP, "products": []}]}


def test_deleting_a_tenant_cascades_to_its_products_and_to_no_others(engine: Engine) -> None:
    write(engine, ["update", "products", BOWL, product(SHOP, 1)])
    write(engine, ["delete", "tenants", SHOP])
    assert [entity["id"] for entity in everything(engine)["products"]] == [BOWL]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (["update", "products", "42", {}], "Invalid entity ID '42'. Entity IDs must be UUIDs or lookup references."),
        (["link", "products", MUG, {"tenant": "42"}], "Invalid entity ID '42'"),
        (["vanish", "products", MUG], "Unsupported action vanish"),
        (["update", "products", MUG], "Validation failed for steps"),
        (["update", "products", ["slug"], {}], "Invalid entity ID"),
        ([], "Validation failed for steps"),
        ([["x"]], "Unsupported action"),
        (["create", "products", BOWL, {}, {"upsert": True}], "Validation failed for steps"),
    ],
)
def test_malformed_steps_are_refused(engine: Engine, step: Any, said: str) -> None:
    assert said in refusal(engine, step).message


def attr(label: str, **changed: Any) -> dict[str, Any]:
    identity = [str(uuid4()), "products", label]
    plain = {"value-type": "blob", "cardinality": "one", "unique?": False, "index?": True, "isUnsynced": True}
    return {"id": str(uuid4()), "forward-identity": identity, "reverse-identity": None, **plain, **changed}


def test_an_identical_attribute_sent_again_is_a_no_op(engine: Engine) -> None:
    weight = attr("weight")
    write(engine, ["add-attr", weight], ["update", "products", MUG, {"price": 3}])
    write(engine, ["add-attr", weight], ["update", "products", MUG, {"weight": 300}])
    assert get(engine, MUG)["weight"] == 300


def test_another_attribute_of_the_same_name_is_refused(engine: Engine) -> None:
    error = refusal(engine, ["update", "products", MUG, {"price": 3}], ["add-attr", attr("title")])
    assert (error.kind, error.message) == ("record-not-unique", "`title` already exists on `products`")


def test_a_new_indexed_attribute_is_null_on_entities_that_were_there(engine: Engine) -> None:
    write(engine, ["add-attr", attr("weight")])
    assert get(engine, MUG)["weight"] is None


def test_an_added_attribute_is_forgotten_when_its_transaction_is_refused(engine: Engine) -> None:
    refusal(engine, ["add-attr", attr("weight")], ["update", "products", MUG, {"price": "free"}])
    assert refusal(engine, ["update", "products", MUG, {"weight": 1}]).kind == "validation-failed"


def test_a_deleted_attribute_takes_its_values_along(engine: Engine) -> None:
    position = engine.store.attrs.forward("products", "position")
    assert position
    write(engine, ["delete-attr", position.id])
    assert "position" not in get(engine, MUG)


def test_too_many_values_for_one_transaction_are_refused(engine: Engine) -> None:
    steps = [["update", "products", str(uuid4()), product(SHOP, i)] for i in range(900)]
    error = refusal(engine, *steps)
    assert error.kind == "parameter-limit-exceeded"


def test_an_app_that_creates_attributes_does_so_unless_the_caller_objects(tmp_path: Any) -> None:
    engine = Engine(App(creates_attrs=True), tmp_path / "open.sqlite3")
    write(engine, ["update", "folders", MUG, {"note": "hi"}], ["link", "folders", MUG, {"items": [BOWL]}])
    assert get(engine, MUG, "folders") == {"id": MUG, "note": "hi"}
    with pytest.raises(Refusal):
        engine.transact(ADMIN, [["update", "folders", MUG, {"other": 1}]], throw_on_missing_attrs=True)
    engine.close()
