"""Counts the same segments with winnow, DuckDB, ClickHouse and CRoaring, and writes a table and a chart.

All load the same files of `winnow datagen` (or of a folder that it has made). Peers have their best form: events
clustered by channel, event and time, numbers instead of strings, prepared groupBitmap states in ClickHouse and bitmaps
in memory for CRoaring where a segment is set algebra alone. Last, segment 13 is counted again after every hundredth
profile was erased: in Winnow before any compaction, in the peers from a table without them. Every segment is timed in one stretch in all engines, in
process, after one warm-up; counts must be equal. What is written: results.md and results.svg.

Before that some segments are counted cold: whole processes, their files advised out of memory before each; of DuckDB
from opening the database to the count, without Python's start.

With --reach it compares subscriptions, goals and events of machines instead, and writes reach.md.

Files: the rules are data/rules/demo.ndjson, hard.ndjson and mid-year.ndjson, or reach.ndjson; the SQL is beside this script, the number
that a rule's name begins with says which is which.
"""

import argparse
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import chdb
import chdb.session
import duckdb
import numpy
import pyroaring

HERE = Path(__file__).parent
RULES = [
    (HERE.parent.parent / "data/rules/demo.ndjson", "2026-01-01T00:00:00Z"),
    (HERE / "hard.ndjson", "2026-01-01T00:00:00Z"),
    (HERE / "mid-year.ndjson", "2025-07-01T00:00:00Z"),
]
REACH = [(HERE / "reach.ndjson", "2026-01-01T00:00:00Z")]
# One profile of so many is erased.
ERASED = 100
# Segments that are counted cold, by number.
COLD = ("01", "04", "06", "07", "10", "13")
KINDS = ("profiles.csv", "campaigns.ndjson", "templates.ndjson", "events.csv", "subscriptions.csv", "goals.csv")
THREADS = len(os.sched_getaffinity(0))


def queries(name, lists):
    """The queries of an SQL file by number."""
    text = (HERE / name).read_text()
    for key, numbers in lists.items():
        text = text.replace("{" + key + "}", ", ".join(map(str, numbers)))
    parts = re.split(r"^-- (\d\d)\n", text, flags=re.MULTILINE)
    return {number: sql.strip().rstrip(";") for number, sql in zip(parts[1::2], parts[2::2])}


def campaign_lists(folder):
    """The campaigns that the rules' conditions on tags and attributes choose, as the SQL files name them."""
    campaigns = [json.loads(line) for line in (folder / "campaigns.ndjson").read_text().splitlines()]

    def chosen(tags, seasons=None):
        return [
            int(campaign["id"][1:])
            for campaign in campaigns
            if set(tags) & set(campaign["tags"]) and (not seasons or campaign["attributes"]["season"] in seasons)
        ]

    return {"online_store": chosen(["Online store"]), "sale_or_welcome": chosen(["Sale", "Welcome"], ["winter", "autumn"])}


def timed(body):
    start = time.perf_counter()
    result = body()
    return result, time.perf_counter() - start


def forget(path):
    """Advises a file, or those of a folder, out of memory."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def size(path):
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


class Winnow:
    title = "Winnow"

    def __init__(self, arguments):
        self.program, self.store = str(arguments.winnow), arguments.work / "winnow"

    def run(self, *words):
        return subprocess.run([self.program, *map(str, words)], check=True, capture_output=True, text=True).stdout

    def load(self, folder):
        shutil.rmtree(self.store, ignore_errors=True)
        self.run("create", self.store, "--schema", folder / "schema.json")
        for kind in KINDS:
            if not (folder / kind).exists():
                continue
            self.run("load", self.store, kind.split(".")[0], folder / kind, "--memory", "8GiB")

    def erase(self, profiles):
        # Parts never change, so a store of links to them is as good as a copy.
        shutil.rmtree(self.store.with_name("erased"), ignore_errors=True)
        self.store = shutil.copytree(self.store, self.store.with_name("erased"), copy_function=os.link)
        ids = "".join(f"u{number}\n" for number in range(0, profiles, ERASED))
        subprocess.run([self.program, "erase", self.store, "--profiles", "-"], check=True, input=ids, text=True)

    def size(self):
        info = json.loads(self.run("info", self.store, "--format", "json"))
        return info["bytes"]["activity"]

    def count(self, rule, as_of, repeat):
        path = self.store.parent / "rule.ndjson"
        path.write_text(json.dumps(rule) + "\n")
        answer = json.loads(
            self.run("bench", self.store, "--rules", path, "--as-of", as_of, "--format", "json", "--repeat", 4 * repeat)
        )
        return answer["count"], answer["p50_ms"]


    def cold(self, rule, as_of, _):
        path = self.store.parent / "rule.json"
        path.write_text(json.dumps(rule))
        forget(self.store)
        count, seconds = timed(lambda: self.run("count", self.store, "-f", path, "--as-of", as_of))
        return int(count), seconds


class DuckDB:
    title = "DuckDB " + duckdb.__version__

    def __init__(self, arguments, lists):
        self.path = arguments.work / "peers.duckdb"
        self.queries = queries("duckdb.sql", lists)
        self.connection = None

    def open(self):
        self.connection = duckdb.connect(str(self.path), config={"threads": THREADS, "memory_limit": "16GB"})

    def load(self, folder):
        self.path.unlink(missing_ok=True)
        self.open()
        header = (folder / "events.csv").open().readline()
        message = "hash(message)" if "message" in header else "NULL::UBIGINT"
        machine = "machine = 'true'" if "machine" in header else "false"
        self.connection.execute(f"""
            CREATE TABLE profiles AS SELECT
                (row_number() OVER () - 1)::UINTEGER AS profile, id, email, country, age::UTINYINT AS age,
                (ltv::DECIMAL(18, 2) * 100)::BIGINT AS ltv, vip::BOOLEAN AS vip,
                registered::TIMESTAMP AS registered, birthday::DATE AS birthday,
                string_split(interests, '|') AS interests
                FROM read_csv('{folder}/profiles.csv', all_varchar = true);
            CREATE TABLE events AS SELECT
                p.profile, channel, event, time::TIMESTAMP_S AS time, substr(campaign, 2)::USMALLINT AS campaign,
                substr(template, 2)::USMALLINT AS template, substr(link, 2)::UTINYINT AS link, {message} AS message,
                {machine} AS machine
                FROM read_csv('{folder}/events.csv', all_varchar = true) AS e JOIN profiles AS p ON e.profile = p.id
                ORDER BY channel, event, time""")
        if (folder / "goals.csv").exists():
            self.connection.execute(f"""
                CREATE TABLE subscriptions AS SELECT
                    p.profile, channel, resource, status, provider, time::TIMESTAMP_S AS time
                    FROM read_csv('{folder}/subscriptions.csv', all_varchar = true) AS s JOIN profiles AS p
                    ON s.profile = p.id ORDER BY channel, status;
                CREATE TABLE goals AS SELECT
                    p.profile, pixel, goal, time::TIMESTAMP_S AS time, (value::DECIMAL(18, 2) * 100)::BIGINT AS value
                    FROM read_csv('{folder}/goals.csv', all_varchar = true) AS g JOIN profiles AS p ON g.profile = p.id
                    ORDER BY goal, time""")
        self.connection.execute("CHECKPOINT")

    def erase(self, _):
        self.connection.execute(
            f"CREATE TEMP TABLE remaining AS SELECT * FROM profiles WHERE substr(id, 2)::UINTEGER % {ERASED} > 0"
        )
        self.queries = {number: sql.replace("FROM profiles", "FROM remaining") for number, sql in self.queries.items()}

    def size(self):
        return size(self.path)

    def count(self, number):
        return self.connection.execute(self.queries[number]).fetchone()[0]

    def cold(self, _rule, _as_of, number):
        if self.connection:
            self.connection.close()
            self.connection = None
        program = f"""import duckdb, time
start = time.perf_counter()
connection = duckdb.connect({str(self.path)!r}, read_only=True, config={{"threads": {THREADS}}})
count = connection.execute({self.queries[number]!r}).fetchone()[0]
print(count, time.perf_counter() - start)"""
        forget(self.path)
        answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        count, seconds = answer.split()
        return int(count), float(seconds)


class ClickHouse:
    title = "ClickHouse " + chdb.engine_version

    def __init__(self, arguments, lists):
        self.path = arguments.work / "clickhouse"
        self.queries = queries("clickhouse.sql", lists)
        self.session = None

    def open(self):
        self.session = chdb.session.Session(str(self.path))
        self.session.query(f"SET max_threads = {THREADS}")
        self.session.query(f"SET max_insert_threads = {THREADS}")
        self.session.query("SET session_timezone = 'UTC', date_time_input_format = 'best_effort'")

    def load(self, folder):
        shutil.rmtree(self.path, ignore_errors=True)
        self.open()
        header = (folder / "events.csv").open().readline().strip().split(",")
        columns = ", ".join(f"{name} {'DateTime' if name == 'time' else 'String'}" for name in header)
        message = "cityHash64(message)" if "message" in header else "0"
        machine = "machine = 'true'" if "machine" in header else "false"
        statements = [
            """CREATE TABLE profiles (profile UInt32, id String, email String, country LowCardinality(String), age UInt8,
                ltv Int64, vip Bool, registered DateTime64(3), birthday Date32, interests Array(LowCardinality(String)))
                ENGINE = MergeTree ORDER BY profile""",
            """CREATE TABLE events (profile UInt32, channel LowCardinality(String), event LowCardinality(String),
                time DateTime, campaign UInt16, template UInt16, link UInt8, message UInt64,
                machine Bool)
                ENGINE = MergeTree ORDER BY (channel, event, time)""",
            f"""INSERT INTO profiles SELECT rowNumberInAllBlocks(), id, email, country, toUInt8OrZero(age),
                toInt64(round(toFloat64OrZero(ltv) * 100)), vip = 'true',
                parseDateTime64BestEffortOrZero(registered, 3, 'UTC'), toDate32OrZero(birthday),
                splitByChar('|', interests) FROM file('{folder}/profiles.csv', 'CSVWithNames',
                'id String, email String, phone String, country String, city String, age String, ltv String, vip String,
                birthday String, registered String, interests String')""",
            f"""INSERT INTO events SELECT p.profile, channel, event, time,
                toUInt16(substring(campaign, 2)), toUInt16(substring(template, 2)),
                toUInt8OrZero(substring(link, 2)), {message}, {machine}
                FROM file('{folder}/events.csv', 'CSVWithNames', '{columns}') AS e
                INNER JOIN (SELECT profile, id FROM profiles) AS p ON e.profile = p.id""",
        ]
        if (folder / "goals.csv").exists():
            statements += [
                """CREATE TABLE subscriptions (profile UInt32, channel LowCardinality(String),
                    resource LowCardinality(String), status LowCardinality(String), provider LowCardinality(String),
                    time DateTime) ENGINE = MergeTree ORDER BY (channel, status)""",
                """CREATE TABLE goals (profile UInt32, pixel LowCardinality(String), goal LowCardinality(String),
                    time DateTime, value Int64) ENGINE = MergeTree ORDER BY (goal, time)""",
                f"""INSERT INTO subscriptions SELECT p.profile, channel, resource, status, provider, time
                    FROM file('{folder}/subscriptions.csv', 'CSVWithNames', 'profile String, channel String,
                    resource String, status String, contact String, provider String, priority String, time DateTime') AS s
                    INNER JOIN (SELECT profile, id FROM profiles) AS p ON s.profile = p.id""",
                f"""INSERT INTO goals SELECT p.profile, pixel, goal, time, toInt64(round(toFloat64OrZero(value) * 100))
                    FROM file('{folder}/goals.csv', 'CSVWithNames', 'profile String, pixel String, goal String,
                    time DateTime, value String') AS g
                    INNER JOIN (SELECT profile, id FROM profiles) AS p ON g.profile = p.id""",
            ]
        for statement in statements:
            self.session.query(statement)

    def prepare(self):
        """One part, ordered: the best form to be asked."""
        for (table,) in json.loads(str(self.session.query("SHOW TABLES", "JSONCompact")))["data"]:
            self.session.query(f"OPTIMIZE TABLE {table} FINAL")
        self.session.query("""CREATE TABLE states (channel LowCardinality(String), event LowCardinality(String),
            campaign UInt16, profiles AggregateFunction(groupBitmap, UInt32))
            ENGINE = MergeTree ORDER BY (channel, event, campaign)""")
        self.session.query("""INSERT INTO states SELECT channel, event, campaign, groupBitmapState(profile)
            FROM events GROUP BY channel, event, campaign""")

    def erase(self, _):
        self.session.query("DROP TABLE IF EXISTS remaining")
        self.session.query("CREATE TABLE remaining AS profiles")
        self.session.query(
            f"INSERT INTO remaining SELECT * FROM profiles WHERE toUInt32(substring(id, 2)) % {ERASED} > 0"
        )
        self.session.query("OPTIMIZE TABLE remaining FINAL")
        self.queries = {number: sql.replace("FROM profiles", "FROM remaining") for number, sql in self.queries.items()}

    def size(self):
        rows = self.session.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events'", "CSV")
        return int(str(rows))

    def count(self, number):
        return int(str(self.session.query(self.queries[number], "CSV")).strip().strip('"'))


class States:
    """Set algebra over ClickHouse's prepared bitmaps."""

    title = "prepared bitmaps"

    def __init__(self, clickhouse, lists):
        self.clickhouse, self.queries = clickhouse, queries("bitmaps.sql", lists)

    def count(self, number):
        return int(str(self.clickhouse.session.query(self.queries[number], "CSV")).strip().strip('"'))


class CRoaring:
    """Set algebra over bitmaps in memory, one for each event type and campaign."""

    title = "CRoaring"

    def __init__(self, duck, lists):
        everybody = duck.connection.execute("SELECT count(*) FROM profiles").fetchone()[0]

        def bitmaps(channel, event, condition="true", by="campaign"):
            rows = duck.connection.execute(f"""SELECT {by}, list(DISTINCT profile) FROM events
                WHERE channel = '{channel}' AND event = '{event}' AND {condition} GROUP BY ALL""").fetchnumpy()
            lists = rows[list(rows)[1]]
            return [pyroaring.BitMap(numpy.sort(numpy.array(values, dtype=numpy.uint32))) for values in lists]

        three = "campaign IN (4, 40, 140)"
        opened = bitmaps("email", "opened", by="0")[0]
        clicked_sms = bitmaps("sms", "clicked", by="0")[0]
        delivered_3, opened_3 = bitmaps("email", "delivered", three), bitmaps("email", "opened", three)
        online = ", ".join(map(str, lists["online_store"]))
        clicked = bitmaps("email", "clicked", f"campaign IN ({online})")
        union = pyroaring.BitMap.union
        self.queries = {
            "01": lambda: len(opened),
            "02": lambda: everybody - len(clicked_sms),
            "05": lambda: len(union(*delivered_3) - union(*opened_3)),
            "10": lambda: len(union(*clicked)),
        }

    def count(self, number):
        return self.queries[number]()


def measure(engine, number, repeat):
    """The count and the median of its milliseconds, after one warm-up."""
    count = engine.count(number)
    times = []
    for _ in range(repeat):
        again, seconds = timed(lambda: engine.count(number))
        assert again == count
        times.append(seconds * 1000)
    return count, statistics.median(times)


def number_text(milliseconds):
    if milliseconds is None:
        return ""
    digits = 4 if milliseconds < 0.01 else 3 if milliseconds < 0.1 else 2 if milliseconds < 10 else 0
    return f"{milliseconds:,.{digits}f}"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {THREADS} threads, {memory:.0f} GiB"


def chart(rows):
    """How many times slower than Winnow, a bar each, on a logarithmic scale."""
    height, left, width, top = 34, 500, 620, 52
    decades = max(1, math.ceil(math.log10(max(ratio for _, ratios in rows for ratio in ratios if ratio))))
    def x(ratio):
        return left + width * min(max(math.log10(ratio), -0.3), decades) / decades
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{top + height * len(rows) + 20}"'
        ' font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="18" font-weight="bold">How many times longer than Winnow</text>',
        f'<rect x="{left + 330}" y="8" width="12" height="12" fill="#c9a227"/><text x="{left + 347}" y="18">DuckDB</text>',
        f'<rect x="{left + 420}" y="8" width="12" height="12" fill="#b5483a"/><text x="{left + 437}" y="18">ClickHouse</text>',
    ]
    for decade in range(decades + 1):
        at = left + width * decade / decades
        out.append(f'<line x1="{at:.0f}" y1="{top - 8}" x2="{at:.0f}" y2="{top + height * len(rows)}" stroke="#ddd"/>')
        out.append(f'<text x="{at:.0f}" y="{top - 14}" text-anchor="middle" fill="#555">{10**decade:,}</text>')
    for i, (name, ratios) in enumerate(rows):
        y = top + i * height
        out.append(f'<text x="{left - 8}" y="{y + 19}" text-anchor="end">{name}</text>')
        for k, (ratio, colour) in enumerate(zip(ratios, ("#c9a227", "#b5483a"))):
            if ratio is None:
                continue
            a, b = sorted((x(1), x(ratio)))
            out.append(f'<rect x="{a:.1f}" y="{y + 2 + 13 * k}" width="{max(b - a, 1):.1f}" height="12" fill="{colour}"/>')
            out.append(f'<text x="{b + 5:.1f}" y="{y + 12 + 13 * k}" font-size="11" fill="#333">{ratio:,.1f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def report(results, loads, cold, arguments):
    """results: (name, count, {engine title: milliseconds}); cold: the same of first counts."""
    titles = list(results[0][2])
    things = (
        f"{arguments.events:,} events of people and machines, {arguments.goals:,} goals, {arguments.subscriptions:,} "
        "subscriptions of `winnow datagen`"
        if arguments.reach
        else f"{arguments.events:,} events of `winnow datagen --messages`"
    )
    lines = [
        f"{arguments.profiles:,} profiles, {things}; {machine()}; "
        f"{date.today()}. Milliseconds, median in process, files in memory; all counts are equal.",
        "",
        "| segment | profiles | " + " | ".join(titles) + " | better of DuckDB, ClickHouse |",
        "|---|---:|" + "---:|" * (len(titles) + 1),
    ]
    ratios = []
    for name, count, times in results:
        own, better = times["Winnow"], min(times[DuckDB.title], times[ClickHouse.title])
        ratios.append(better / own)
        cells = " | ".join(number_text(times[title]) for title in titles)
        lines.append(f"| {name} | {count:,} | {cells} | {better / own:,.{0 if better > 100 * own else 1}f}× |")
    if arguments.reach:
        return "\n".join([*lines, "", f"Geometric mean {geometric_mean(ratios):.0f}×, least {min(ratios):.1f}×.", ""])
    lines += [
        "",
        f"Geometric mean of the first fourteen {geometric_mean(ratios[:14]):.0f}×, least {min(ratios[:14]):.1f}×; of the "
        f"hard ones {geometric_mean(ratios[14:]):.0f}×, least {min(ratios[14:]):.1f}×.",
        "",
    ]
    if cold:
        lines += [
            "First counts with files out of memory, milliseconds of whole processes (DuckDB without Python's start):",
            "",
            f"| segment | Winnow | {DuckDB.title} | |",
            "|---|---:|---:|---:|",
        ]
        for name, own, theirs in cold:
            lines.append(f"| {name} | {own * 1000:.0f} | {theirs * 1000:.0f} | {theirs / own:.1f}× |")
        lines.append("")
    if loads:
        lines += ["| | load, s | events a second | bytes an event |", "|---|---:|---:|---:|"]
        for title, (seconds, bytes) in loads.items():
            lines.append(
                f"| {title} | {seconds:.0f} | {arguments.events / seconds:,.0f} | {bytes / arguments.events:.2f} |"
            )
        lines += [
            "",
            "Loading goes from CSV with string ids to clustered tables, on disk in Winnow and DuckDB; ClickHouse still has to "
            "merge its parts then, which is not in the time. Sizes are of the events, message ids included.",
        ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, help="5 million; with --reach 2.5 million")
    parser.add_argument("--events", type=int, help="100 million; with --reach 10 million")
    parser.add_argument("--goals", type=int, default=10_000_000, help="with --reach")
    parser.add_argument("--reach", action="store_true", help="compare subscriptions, goals and events of machines")
    parser.add_argument("--data", type=Path, help="a folder that datagen has made; else one is made")
    parser.add_argument("--reuse", action="store_true", help="take what an earlier run has loaded")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path, default=HERE, help="where results.md and results.svg go")
    parser.add_argument("--winnow", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where stores and data go")
    arguments = parser.parse_args()
    arguments.profiles = arguments.profiles or (2_500_000 if arguments.reach else 5_000_000)
    arguments.events = arguments.events or (10_000_000 if arguments.reach else 100_000_000)
    if arguments.reach:
        arguments.work = arguments.work / "reach"
    arguments.work.mkdir(parents=True, exist_ok=True)
    folder = arguments.data or arguments.work / f"data-{arguments.profiles}-{arguments.events}"
    winnow = Winnow(arguments)
    if not folder.exists():
        winnow.run(
            "datagen", folder, "--profiles", arguments.profiles, "--events", arguments.events,
            *(["--machines", "--subscriptions", "--goals", arguments.goals] if arguments.reach else ["--messages"]),
        )
    if arguments.reach:
        with (folder / "subscriptions.csv").open() as file:
            arguments.subscriptions = sum(1 for _ in file) - 1
    lists = campaign_lists(folder)
    duck, click = DuckDB(arguments, lists), ClickHouse(arguments, lists)
    loads = {}
    for engine in (winnow, duck, click):
        if arguments.reuse:
            continue
        _, seconds = timed(lambda: engine.load(folder.resolve()))
        loads[engine.title] = seconds, engine.size()
        print(f"{engine.title}: loaded in {seconds:.0f} s, {loads[engine.title][1]:,} bytes", flush=True)
    if arguments.reuse:
        duck.open()
        click.open()
    else:
        click.prepare()
        loads[click.title] = loads[click.title][0], click.size()
    engines = [duck, click] + ([] if arguments.reach else [States(click, lists), CRoaring(duck, lists)])
    results, unequal = [], []

    def compare(rule, as_of, name):
        number = rule["name"].split(" ", 1)[0]
        count, milliseconds = winnow.count(rule, as_of, arguments.repeat)
        times = {winnow.title: milliseconds}
        for engine in engines:
            times[engine.title] = None
            if number in engine.queries:
                theirs, times[engine.title] = measure(engine, number, arguments.repeat)
                if theirs != count:
                    unequal.append(name)
                    print(f"{name}: winnow counts {count}, {engine.title} {theirs}", file=sys.stderr)
        results.append((name, count, times))
        print(name, count, {title: number_text(t) for title, t in times.items()}, flush=True)

    for path, as_of in REACH if arguments.reach else RULES:
        for line in path.read_text().splitlines():
            rule = json.loads(line)
            compare(rule, as_of, rule["name"])
            if rule["name"].startswith("13 "):
                ten_rules = rule, as_of
    cold = []
    for path, as_of in [] if arguments.reach else RULES[:1]:
        for rule in map(json.loads, path.read_text().splitlines()):
            number = rule["name"].split(" ", 1)[0]
            if number in COLD:
                own, theirs = (
                    [engine.cold(rule, as_of, number) for _ in range(arguments.repeat)] for engine in (winnow, duck)
                )
                if len({count for count, _ in own + theirs}) > 1:
                    unequal.append(rule["name"])
                cold.append((rule["name"], *(statistics.median(s for _, s in times) for times in (own, theirs))))
                print(rule["name"], "cold", cold[-1][1:], flush=True)
    if not arguments.reach:
        duck.open()
        for engine in (winnow, duck, click):
            engine.erase(arguments.profiles)
        compare(*ten_rules, "20 ten rules, nested, a hundredth of the profiles erased")
    results.sort()
    if unequal:
        sys.exit("counts differ: nothing is written")
    if arguments.reach:
        (arguments.output / "reach.md").write_text(report(results, loads, cold, arguments))
        return print((arguments.output / "reach.md").read_text())
    (arguments.output / "results.md").write_text(report(results, loads, cold, arguments))
    rows = [
        (name, [times[title] / times["Winnow"] for title in (duck.title, click.title)]) for name, _, times in results
    ]
    (arguments.output / "results.svg").write_text(chart(rows))
    print((arguments.output / "results.md").read_text())


if __name__ == "__main__":
    main()
