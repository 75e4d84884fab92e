"""Times loads of the same events as CSV and as tables in turn, and what is asked from Python; see `run` beside it."""

import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time

import pyarrow.csv

import winnow

REPEAT = 7
TEXTS = ("channel", "event", "campaign", "template", "link")


def seconds(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def main(events, profiles):
    folder = tempfile.mkdtemp()
    try:
        files, base = folder + "/files", folder + "/base"
        winnow.command("datagen", folder=files, profiles=profiles, events=events, messages=True)
        store = winnow.create(base, open(files + "/schema.json").read())
        for kind, name in (("profiles", "profiles.csv"), ("campaigns", "campaigns.ndjson"),
                           ("templates", "templates.ndjson")):
            store.load(kind, f"{files}/{name}")
        path = files + "/events.csv"
        plain = pyarrow.csv.read_csv(path)
        coded = plain
        for name in TEXTS:
            coded = coded.set_column(coded.column_names.index(name), name, coded[name].dictionary_encode())
        print(f"{events:,} events with message ids into {profiles:,} profiles, {REPEAT} times in turn:")
        ways = {
            "CSV": path, "Arrow": plain, "Arrow, dictionaries": coded,
            "CSV, no message ids": None, "Arrow, no message ids": plain.drop_columns("message"),
        }  # fmt: skip
        ways["CSV, no message ids"] = files + "/without.csv"
        pyarrow.csv.write_csv(ways["Arrow, no message ids"], ways["CSV, no message ids"])
        times = {way: [] for way in ways}
        counts = set()
        for _, (way, data) in itertools.product(range(REPEAT), ways.items()):
            copy = folder + "/copy"
            shutil.copytree(base, copy)
            os.sync()
            with winnow.open(copy) as own:
                times[way].append(seconds(lambda: own.load("events", data)))
                counts.add(int(own.count("email opened at least 2 times")))
            shutil.rmtree(copy)
        assert len(counts) == 1, counts
        for way, own in times.items():
            middle = statistics.median(own)
            csv = statistics.median(times["CSV, no message ids" if "message" in way else "CSV"])
            print(f"{way:<24} {middle:6.2f} s   {csv / middle:5.2f} times as fast as CSV")

        store.load("events", path)
        snapshot = store.snapshot()
        everybody = winnow.field("id").is_not_blank
        for what, body in {
            "ids of all as Arrow": lambda: snapshot.ids(everybody),
            "all fields as Arrow": lambda: snapshot.table(everybody),
            "row numbers of all": lambda: snapshot.rows(everybody),
        }.items():
            print(f"{what:<24} {min(seconds(body) for _ in range(3)):6.3f} s")
        prepared = snapshot.prepare("email opened exists")
        rounds = 20_000
        took = seconds(lambda: [prepared.count() for _ in range(rounds)]) / rounds
        print(f"a prepared count         {1e6 * took:6.2f} µs")
        took = seconds(lambda: [snapshot.count("email opened exists") for _ in range(rounds // 10)]) / (rounds // 10)
        print(f"a count of text          {1e6 * took:6.2f} µs")
    finally:
        shutil.rmtree(folder)


main(int(sys.argv[1]), int(sys.argv[2]))
