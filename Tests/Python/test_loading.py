"""Loading what other packages have."""

import datetime
import decimal
import io
import math

import pytest

import winnow
from winnow import email, field

UTC = datetime.timezone.utc
ROWS = [
    {"id": "a", "a_string": "Ада", "a_integer": 7, "a_decimal": decimal.Decimal("1.25"), "a_boolean": True,
     "a_date": datetime.date(2001, 2, 3), "a_datetime": datetime.datetime(2025, 1, 2, 3, 4, 5, 678000, UTC),
     "a_string_set": ["x", "y|z"]},
    {"id": "b", "a_string": "", "a_integer": -(2**53) - 1, "a_decimal": decimal.Decimal("-0.5"), "a_boolean": False,
     "a_date": datetime.date(1960, 1, 1), "a_datetime": datetime.datetime(1969, 12, 31, tzinfo=UTC),
     "a_string_set": []},
    {"id": "c", "a_string": None, "a_integer": None, "a_decimal": None, "a_boolean": None, "a_date": None,
     "a_datetime": None, "a_string_set": None},
]  # fmt: skip
FIELDS = list(ROWS[0])[1:]
ALL = field("id") != ""


def stored(store):
    """What the store has, as pyarrow sees it."""
    table = store.snapshot().table(ALL, fields=FIELDS)
    table.validate(full=True)
    return table.to_pylist()


def pyarrow_table(pyarrow):
    return pyarrow.table(
        {name: pyarrow.array([row[name] for row in ROWS], type=kind) for name, kind in {
            "id": pyarrow.string(), "a_string": pyarrow.large_string(), "a_integer": pyarrow.int64(),
            "a_decimal": pyarrow.decimal128(20, 4), "a_boolean": pyarrow.bool_(), "a_date": pyarrow.date32(),
            "a_datetime": pyarrow.timestamp("us", "Europe/Berlin"), "a_string_set": pyarrow.list_(pyarrow.string()),
        }.items()})  # fmt: skip


@pytest.mark.parametrize("form", ["table", "reader", "batches", "view", "dictionary", "slice", "parquet", "rows"])
def test_pyarrow_goes_in_and_comes_out(shop, tmp_path, form):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow_table(pyarrow)
    data = table
    if form == "reader":
        data = table.to_reader(max_chunksize=1)
    elif form == "batches":
        data = pyarrow.RecordBatchReader.from_batches(table.schema, iter(table.to_batches(max_chunksize=2)))
    elif form == "view":
        data = table.set_column(0, "id", table["id"].cast(pyarrow.string_view()))
    elif form == "dictionary":
        data = table.set_column(1, "a_string", table["a_string"].dictionary_encode())
    elif form == "slice":
        data = pyarrow.concat_tables([table, table, table]).slice(3, 3).combine_chunks()
    elif form == "parquet":
        import pyarrow.parquet

        data = tmp_path / "rows.parquet"
        pyarrow.parquet.write_table(table, data)
    elif form == "rows":
        data = ROWS
    summary = shop.load("profiles", data, batch="1")
    assert summary.new == 3 and summary["rejected"] == 0
    assert stored(shop) == ROWS
    assert shop.load("profiles", table if form == "rows" else data_again(form, data, table), batch="2").updated == 3
    assert stored(shop) == ROWS


def data_again(form, data, table):
    return table if form in ("reader", "batches") else data


def test_a_batch_is_loaded_once_however_it_comes(shop, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    polars = pytest.importorskip("polars")
    table = pyarrow_table(pyarrow).select(["id", "a_string", "a_integer"])
    assert not shop.load("profiles", table, batch="night").get("repeated")
    for again in (table.to_reader(max_chunksize=1), polars.from_arrow(table)):
        assert shop.load("profiles", again, batch="night")["repeated"] is True
    with pytest.raises(winnow.BatchConflict):
        shop.load("profiles", table.slice(0, 2), batch="night")


def test_polars(shop):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        [{**row, "a_decimal": row["a_decimal"]} for row in ROWS],
        schema_overrides={"a_decimal": polars.Decimal(18, 2), "a_datetime": polars.Datetime("ns", "UTC")},
    )
    assert shop.load("profiles", frame).new == 3
    assert stored(shop) == ROWS
    assert shop.load("profiles", frame.lazy().with_columns(polars.col("a_string").cast(polars.Categorical))).updated == 3
    assert stored(shop) == ROWS
    out = polars.from_arrow(shop.snapshot().table(ALL, fields=FIELDS))
    assert out["a_decimal"].to_list() == [row["a_decimal"] for row in ROWS]


def test_pandas(shop):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({
        "id": ["a", "b", "c"], "a_integer": [7, 8, None], "a_decimal": [1.25, float("nan"), 0.1 + 0.2 - 0.2],
        "a_boolean": [True, False, None], "a_string": pandas.Categorical(["x", None, "x"]),
        "a_datetime": pandas.to_datetime(["2025-01-02 03:04:05", None, "1999-01-01 00:00:00"], utc=True),
        "a_date": pandas.to_datetime(["2001-02-03", None, "1960-01-01"]),
    }).iloc[::-1]  # fmt: skip
    assert frame["a_integer"].dtype == float
    # The third has more digits than the field keeps.
    with pytest.raises(winnow.BadData, match="row 1, column a_decimal"):
        shop.load("profiles", frame)
    frame.loc[2, "a_decimal"] = 0.3
    assert shop.load("profiles", frame).new == 3
    rows = {row["id"]: row for row in stored(shop)}
    assert rows["a"]["a_integer"] == 7 and rows["c"]["a_integer"] is None
    assert rows["b"]["a_decimal"] is None and rows["c"]["a_decimal"] == decimal.Decimal("0.30")
    assert rows["c"]["a_date"] == datetime.date(1960, 1, 1) and rows["a"]["a_boolean"] is True
    assert shop.snapshot().table(ALL).to_pandas().shape[0] == 3
    assert shop.load("profiles", frame.set_index("id")).updated == 3


def test_events_are_those_of_csv(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.csv

    from conftest import BOOKSHOP

    rules = ["email opened exists", "email clicked at least 1 times in campaigns latest 2", "push sent at least 2"]
    counts = []
    for form in ("csv", "arrow"):
        store = winnow.create(tmp_path / form, (BOOKSHOP / "schema.json").read_text())
        for name in ("profiles.csv", "campaigns.ndjson", "templates.ndjson"):
            store.load(name.partition(".")[0], BOOKSHOP / name)
        path = BOOKSHOP / "events.csv"
        store.load("events", path if form == "csv" else pyarrow.csv.read_csv(path))
        counts.append([*store.counts(rules, as_of="2025-11-01T00:00:00Z"), store.info()[0]["events"]])
    assert counts[0] == counts[1]


def test_text_rows_and_files(shop, tmp_path):
    assert shop.load("profiles", b"id,a_integer\na,1\n", format="csv").new == 1
    assert shop.load("profiles", b'{"Id": "b"}\n', format="ndjson", rename={"Id": "id"}).new == 1
    (tmp_path / "one.csv").write_text("id\nc\n")
    (tmp_path / "two.csv").write_text("id\nd\n")
    assert shop.load("profiles", [tmp_path / "one.csv", str(tmp_path / "two.csv")]).new == 2
    assert shop.load("profiles", []).rows == 0
    assert shop.load("events", [{"profile": "a", "channel": "email", "event": "opened",
                                 "time": datetime.datetime(2025, 1, 1, tzinfo=UTC)}]).new == 1
    assert shop.count(email.opened.exists) == 1
    with pytest.raises(winnow.Usage, match="format"):
        shop.load("profiles", b"id\n")
    for wrong in (7, {"id": "a"}, ["a.csv", {"id": "a"}], io.StringIO("id\n"), object()):
        with pytest.raises(winnow.Error):
            shop.load("profiles", wrong)


def test_what_cannot_be_loaded_is_said_by_row_and_column(shop, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")

    def refused(match, **columns):
        before = shop.info()[0]["version"]
        with pytest.raises(winnow.BadData, match=match):
            shop.load("profiles", pyarrow.table(columns))
        assert shop.info()[0]["version"] == before

    refused("row 2, column a_decimal", id=["a", "b"], a_decimal=[1.0, math.inf])
    refused("row 1, column id: the id is missing", id=[None], a_integer=[1])
    refused("“vz”|“z”", id=["a"], a_string=[b"bytes"])
    refused("column nonsense: unknown column", id=["a"], nonsense=["b"])
    refused("column a_integer", id=["a"], a_integer=["seven"])
    rejects = tmp_path / "rejects.ndjson"
    summary = shop.load("profiles", pyarrow.table({"id": ["a", None], "a_integer": [1, 2]}), rejects=rejects)
    assert summary.rejected == 1 and '"row": 2' in rejects.read_text() and "a_integer" in rejects.read_text()
    with pytest.raises(winnow.NotFound, match="nothing.parquet: no such file"):
        shop.load("profiles", tmp_path / "nothing.parquet")
    (tmp_path / "bad.PARQUET").write_bytes(b"no parquet")
    with pytest.raises(winnow.BadData, match="bad.PARQUET"):
        shop.load("profiles", tmp_path / "bad.PARQUET")
    import pyarrow.parquet

    whole = tmp_path / "whole.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": [f"{i:09}" for i in range(10_000)]}), whole, compression="zstd")
    damaged = bytearray(whole.read_bytes())
    damaged[len(damaged) // 4:len(damaged) // 2] = bytes(len(damaged) // 2 - len(damaged) // 4)
    whole.write_bytes(damaged)
    with pytest.raises(winnow.BadData, match="whole.parquet"):
        shop.load("profiles", whole)
    assert shop.info()[0]["profiles"] == 1
    with pytest.raises(winnow.Usage, match="all Parquet"):
        shop.load("profiles", [whole, rejects])


def test_a_reader_that_fails_stores_nothing(shop):
    pyarrow = pytest.importorskip("pyarrow")
    schema = pyarrow.schema({"id": pyarrow.string()})

    def batches():
        yield pyarrow.record_batch([["a"]], schema=schema)
        raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError, match="^the source went away$"):
        shop.load("profiles", pyarrow.RecordBatchReader.from_batches(schema, batches()))

    class Foreign:
        """A source that is not known for what it is."""

        def __arrow_c_stream__(self, requested_schema=None):
            return pyarrow.RecordBatchReader.from_batches(schema, batches()).__arrow_c_stream__()

    with pytest.raises(winnow.SystemFailure, match="went away") as caught:
        shop.load("profiles", Foreign())
    assert "\n" not in str(caught.value) and "def batches" not in str(caught.value)
    assert shop.info()[0]["profiles"] == 0


def test_a_reader_that_gives_other_than_it_promised_is_refused(shop):
    pyarrow = pytest.importorskip("pyarrow")
    schema = pyarrow.schema({"id": pyarrow.string(), "a_string": pyarrow.string(), "a_integer": pyarrow.int64()})
    for columns in (
        {"a_string": ["S"], "id": ["I"], "a_integer": [1]},
        {"id": ["I"], "a_string": ["S"], "a_integer": pyarrow.array([1], pyarrow.int8())},
        {"id": ["I"]},
    ):
        batches = iter([pyarrow.record_batch(columns)])
        with pytest.raises(winnow.BadData, match="promised"):
            shop.load("profiles", pyarrow.RecordBatchReader.from_batches(schema, batches))
    assert shop.info()[0]["profiles"] == 0


def test_dicts_say_what_tables_say(shop):
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    row = {
        "id": "a", "a_decimal": numpy.float32(0.1), "a_integer": numpy.int16(5), "a_string": pandas.NA,
        "a_datetime": numpy.datetime64("2025-01-02T03:04:05", "ns"), "a_boolean": float("nan"), "a_date": pandas.NaT,
    }  # fmt: skip
    assert shop.load("profiles", [row]).new == 1
    (got,) = stored(shop)
    assert got["a_decimal"] == decimal.Decimal("0.10") and got["a_integer"] == 5
    assert got["a_datetime"] == datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert got["a_string"] is None and got["a_boolean"] is None and got["a_date"] is None
    naive = {"id": "b", "a_datetime": datetime.datetime(2025, 1, 1)}
    shop.load("profiles", [naive], timezone="Europe/Berlin")
    assert shop.count(field("a_datetime") == "2024-12-31T23:00:00Z") == 1
    with pytest.raises(winnow.BadData, match="Unicode"):
        shop.load("profiles", [{"id": "a\ud800"}])


def test_floats_are_the_shortest_decimals(shop):
    pyarrow = pytest.importorskip("pyarrow")
    numpy = pytest.importorskip("numpy")
    table = pyarrow.table({
        "id": ["a", "b"], "a_integer": [1e18, float(-(2**60))],
        "a_decimal": pyarrow.array(numpy.array([0.25, -1.5], dtype=numpy.float16)),
    })  # fmt: skip
    assert shop.load("profiles", table).new == 2
    rows = stored(shop)
    assert [row["a_integer"] for row in rows] == [10**18, -(2**60)]
    assert [row["a_decimal"] for row in rows] == [decimal.Decimal("0.25"), decimal.Decimal("-1.50")]
    with pytest.raises(winnow.BadData, match="array of strings"):
        shop.load("profiles", pyarrow.table({"id": ["a"], "a_string_set": pyarrow.array([[None]])}))


def test_missing_packages_are_named(monkeypatch, bookshop):
    import builtins

    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] in ("pyarrow", "numpy", "pyroaring"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    rule = "email opened exists"
    for ask, name in ((bookshop.ids, "pyarrow"), (bookshop.rows, "numpy"), (bookshop.bitmap, "pyroaring"),
                      (bookshop.table, "pyarrow")):
        with pytest.raises(winnow.MissingPackage, match=f"pip install {name}"):
            ask(rule)
    assert bookshop.count(rule) == 2
