"""The bookshop from Python: load, count, explain, take away.

    python data/examples/python/bookshop.py [FOLDER] [PAGE.html]

Reads top to bottom like a notebook; with a second argument it writes what a notebook would show to a page.
"""

# %% A store with the fields that the shop knows of its readers
import datetime
import pathlib
import sys
import tempfile

import winnow
from winnow import email, field, segment

data = pathlib.Path(__file__).parents[2] / "bookshop"
folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "bookshop.winnow"
store = winnow.create(folder, (data / "schema.json").read_text())

# %% Files go in as they are
for name in ("profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv"):
    summary = store.load(name.partition(".")[0], data / name, batch=name)
    print(f"{name}: {summary.rows} rows")

# %% So does what is in memory: dicts, pyarrow, Polars, pandas, Parquet
store.load("profiles", [{"id": "gil", "country": "DE", "joined": datetime.datetime(2025, 9, 1, tzinfo=datetime.timezone.utc)}])

# %% A rule is text, or built; & | ~ join, and a count is an int that knows more
as_of = "2025-10-15T00:00:00Z"
readers = email.opened.exists
quiet = ~readers & field("country").is_in(["DE", "SE"])
print("readers:", store.count("email opened exists", as_of=as_of))
print("quiet:", store.count(quiet, as_of=as_of), "–", quiet.text())

# %% Misspelled, it says where
try:
    store.count("email opned exists")
except winnow.InvalidRule as error:
    print(f"column {error.column}: {error.message.split(';')[0].split(': ', 1)[1]}")

# %% One version of the store, however long it takes
snapshot = store.snapshot()
several = snapshot.counts([readers, quiet, email.clicked.at_least(1).last(30, "days")], as_of=as_of)
print("three at once:", [int(count) for count in several])

# %% Why it has this count: a notebook shows a tree with bars
explanation = snapshot.explain(email.delivered.exists & ~email.opened.exists & field("country").is_in(["DE", "SE"]),
                               as_of=as_of)
print(str(explanation).partition("\n\n")[2])

# %% Segments that live in the store
store.call("segment save", name="readers", rule=readers)
print("saved:", store.count(segment("readers") & (field("country") == "DE"), as_of=as_of))

# %% Taken away, as pyarrow has it; pandas, Polars and Parquet go on from there
try:
    for row in snapshot.table(quiet, fields=["country", "joined"], as_of=as_of).to_pylist():
        print(row["id"], row["country"], f"{row['joined']:%Y-%m-%d}")
    print(snapshot.ids(readers, as_of=as_of).to_pylist(), snapshot.rows(readers, as_of=as_of).tolist())
except winnow.MissingPackage as error:
    print(error)

# %% What the notebook shows
if len(sys.argv) > 2:
    pathlib.Path(sys.argv[2]).write_text(
        f'<!doctype html><meta charset="utf-8"><title>Bookshop</title><body>{explanation._repr_html_()}'
    )
