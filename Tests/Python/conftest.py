"""Stores that tests ask."""

import pathlib

import pytest

import winnow

BOOKSHOP = pathlib.Path(__file__).parents[2] / "data" / "bookshop"


@pytest.fixture(scope="session")
def bookshop(tmp_path_factory):
    """The bookshop of data/: six profiles, fourteen events."""
    path = tmp_path_factory.mktemp("stores") / "bookshop"
    store = winnow.create(path, (BOOKSHOP / "schema.json").read_text())
    for name in ("profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv"):
        store.load(name.partition(".")[0], BOOKSHOP / name)
    return store


@pytest.fixture
def shop(tmp_path):
    """An empty store with a field of each type."""
    types = ["string", "integer", "decimal", "boolean", "date", "datetime", "string_set"]
    fields = [{"name": f"a_{kind}", "type": kind, **({"scale": 2} if kind == "decimal" else {})} for kind in types]
    return winnow.create(tmp_path / "shop", {"fields": fields})
