"""Answers are those of the command line."""

import gzip
import json
import re
import urllib.parse

import pytest
from conftest import BOOKSHOP, cli

RULE = "email opened exists and country in (\"DE\", \"GB\")"
AS_OF = "2025-10-15T00:00:00Z"


def steady(text):
    """What does not depend on when, and how fast, something was asked."""
    return re.sub(r'"(elapsed_ms|as_of|seconds)": ("[^"]*"|[0-9.]+)', r'"\1": 0', text)


@pytest.mark.parametrize(
    "path, body, arguments",
    [
        ("count", {"text": RULE}, ["count", RULE]),
        ("count", {"rule": RULE, "as_of": AS_OF, "timezone": "Europe/Berlin", "strict": True, "threads": 1},
         ["count", RULE, "--as-of", AS_OF, "--timezone", "Europe/Berlin", "--strict"]),
        ("counts", {"rules": [RULE, "not " + RULE.split(" and ")[0]]}, ["count", RULE, "not " + RULE.split(" and ")[0]]),
        ("explain", {"text": RULE}, ["explain", RULE]),
        ("explain", {"text": RULE, "profile": "ada"}, ["explain", RULE, "--profile", "ada"]),
        ("show", {"what": "ada", "events": "2"}, ["show", "ada", "--events", "2"]),
        ("show", {"what": "country:DE", "limit": 1}, ["show", "country:DE", "--limit", "1"]),
        ("breakdown", {"text": RULE, "by": ["country", "age"]}, ["breakdown", RULE, "--by", "country,age"]),
        ("breakdown", {"text": RULE, "by": "age", "bins": [18, 40]}, ["breakdown", RULE, "--by", "age", "--bins", "18,40"]),
        ("breakdown", {"text": RULE, "activity": "90d", "unit": "week", "as_of": AS_OF},
         ["breakdown", RULE, "--activity", "90d", "--unit", "week", "--as-of", AS_OF]),
        ("overlap", {"rules": [RULE, "country = \"DE\""]}, ["overlap", RULE, "country = \"DE\""]),
        ("series", {"text": RULE, "since": "2025-10-01", "until": "2025-10-05"},
         ["count", RULE, "--since", "2025-10-01", "--until", "2025-10-05"]),
        ("rule", {"text": RULE, "to": "json"}, ["rule", RULE, "--to", "json"]),
    ])
def test_questions(server, path, body, arguments):
    answer = server.post(f"/v1/{path}", body)
    assert answer.status == 200, answer.text
    store = [] if path == "rule" else [server.store]
    said = cli(arguments[0], *store, *arguments[1:], *([] if path == "rule" else ["--format", "json"]))
    assert steady(answer.text) == steady(said)
    assert answer.headers["Cache-Control"] == "no-store"
    one = path in ("count", "explain", "overlap", "rule")
    assert answer.headers["Content-Type"] == ("application/json" if one else "application/x-ndjson")


def test_rules_as_json_mean_the_same_as_text(server):
    rule = json.loads(cli("rule", RULE, "--to", "json"))
    for body in ({"rule": rule}, {"rule": {"name": "A", "where": rule}}, {"rule": {"text": RULE}}):
        assert server.post("/v1/count", body).json["count"] == server.post("/v1/count", {"text": RULE}).json["count"]
    assert server.post("/v1/rule", {"rule": rule, "to": "text"}).json == RULE


@pytest.mark.parametrize("path, command", [("store", "info"), ("catalog", "catalog"), ("maps", "maps"), ("fields", "schema")])
def test_what_there_is(server, path, command):
    store = [] if command in ("catalog", "maps") else [server.store]
    answer = server.get(f"/v1/{path}")
    if command == "maps":
        assert {line["name"] for line in answer.lines} >= {"sendgrid", "mailgun"}
        return
    said = cli(command, *store, *([] if command == "schema" else ["--format", "json"]))
    assert answer.text == said


def test_an_array_for_who_asks_for_one(server):
    lines = server.get("/v1/catalog").lines
    answer = server.get("/v1/catalog", Accept="application/json")
    assert answer.json == lines and answer.headers["Content-Type"] == "application/json"
    assert server.get("/v1/segments", Accept="application/json").json == []


@pytest.mark.parametrize("format, media", [
    ("ids", "text/plain; charset=utf-8"), ("csv", "text/csv; charset=utf-8"),
    ("ndjson", "application/x-ndjson"), ("roaring", "application/octet-stream")])
def test_exports(server, tmp_path, format, media):
    answer = server.post("/v1/export", {"text": RULE, "format": format})
    cli("export", server.store, RULE, "--format", format, "-o", tmp_path / "out")
    assert answer.body == (tmp_path / "out").read_bytes()
    assert answer.headers["Content-Type"] == media


def test_an_export_of_nobody_is_of_its_kind_all_the_same(server):
    for format, media in (("ids", "text/plain"), ("csv", "text/csv"), ("ndjson", "application/x-ndjson"), ("roaring", "application/octet-stream")):
        answer = server.post("/v1/export", {"text": "country = \"none\"", "format": format})
        assert answer.status == 200 and answer.headers["Content-Type"].split(";")[0] == media


def test_exports_for_advertising(server):
    answer = server.post("/v1/export", {"text": RULE, "audience": "facebook", "map_column": {"country": "country"}})
    assert answer.text.splitlines()[0].startswith("em,ph,ct,country,")
    assert "rows of" in answer.headers["Winnow-Notes"]


def test_saved_segments(server):
    path = "/v1/segments/" + urllib.parse.quote("Łódź / 5 %", safe="")
    assert server.get(path).status == 404
    saved = server.ask("PUT", path, {"text": RULE, "description": "d"})
    assert (saved.status, saved.json["name"]) == (200, "Łódź / 5 %")
    assert server.ask("PUT", path, {"text": RULE}).status == 409
    assert server.ask("PUT", path, {"text": "country = \"DE\"", "replace": True}).status == 200
    assert server.get(path).json["text"] == "country = \"DE\""
    assert [line["name"] for line in server.get("/v1/segments").lines] == ["Łódź / 5 %"]
    assert server.post("/v1/count", {"text": "in segment \"Łódź / 5 %\""}).json["count"] == 2
    frozen = server.ask("PUT", "/v1/segments/f", {"text": "country = \"DE\"", "freeze": True}).json
    assert (frozen["kind"], frozen["members"]) == ("static", 2)
    ids = server.ask("PUT", "/v1/segments/i", {"profiles": ["ada", "nobody"]}).json
    assert (ids["members"], ids["unknown"]) == (1, 1)
    assert server.post("/v1/diff", {"name": "f"}).json["entered"] == 0
    assert server.post("/v1/diff", {"name": "f", "ids": True}).lines == []
    assert [line["name"] for line in server.post("/v1/refresh", {"all": True}).lines] == ["f"]
    assert len(server.get("/v1/segments/f?history=true").lines) == 2
    gone = server.ask("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert server.ask("DELETE", path).status == 404


def test_loading(server):
    csv = (BOOKSHOP / "events.csv").read_bytes()
    before = server.get("/v1/store").json["events"]
    first = server.post("/v1/load/events?batch=night%201", csv, Content_Type="text/csv").json
    assert (first["new"], first["repeated"]) == (14, False)
    again = server.post("/v1/load/events?batch=night+1", gzip.compress(csv), Content_Type="text/csv", Content_Encoding="gzip")
    assert again.json["repeated"] is True
    named = server.post("/v1/load/events?format=csv&dry_run", gzip.compress(csv), Content_Type="application/gzip").json
    assert named["rows"] == 14
    assert server.get("/v1/store").json["events"] == before + 14
    feed = (BOOKSHOP.parent / "feeds/sendgrid.json").read_bytes()
    by_name = server.post("/v1/load/feed?map=sendgrid&unknown_profiles=create&dry_run=true", feed, Content_Type="application/json")
    mapping = urllib.parse.quote(server_mapping())
    inline = server.post(f"/v1/load/feed?map={mapping}&unknown_profiles=create&dry_run=true", feed, Content_Type="application/json")
    assert by_name.status == 200 and steady(by_name.text) == steady(inline.text)


def server_mapping():
    return json.dumps(json.loads(cli("maps", "sendgrid")))


def test_a_row_that_cannot_be_loaded(server):
    before = server.get("/v1/store").json["version"]
    bad = server.post("/v1/load/events", "profile,channel,event,time\nada,email,opened,when\n", Content_Type="text/csv")
    assert (bad.status, bad.error) == (422, "bad_value")
    assert "line 2" in bad.json["error"]["message"]
    assert server.get("/v1/store").json["version"] == before


def test_others_commits_are_seen_at_once(server):
    before = server.post("/v1/count", {"text": RULE}).json
    cli("load", server.store, "profiles", BOOKSHOP / "profiles.csv")
    assert server.post("/v1/count", {"text": RULE}).json["version"] == before["version"] + 1


@pytest.mark.parametrize("body, code, words", [
    ({"text": "email opened exixts"}, "invalid_rule", "did you mean “exists”"),
    ({"rule": {"activity": {"channel": "email", "event": "opened", "operator": "exists", "x": 1}}}, "invalid_rule", "x"),
    ({"text": RULE, "rule": RULE}, "usage", "one rule"),
    ({}, "usage", "one rule is needed"),
    ({"text": RULE, "since": "2025-01-01"}, "usage", "unknown key “since”"),
    ({"text": RULE, "file": "/etc/passwd"}, "usage", "unknown key “file”"),
    ({"text": RULE, "rules": "/etc/passwd"}, "usage", "one rule"),
    ({"text": RULE, "store": "/tmp"}, "usage", "unknown key “store”"),
    ({"text": RULE, "threads": "2"}, "usage", "“threads” cannot be a string"),
    ({"text": RULE, "as_of": "yesterday"}, "usage", "2026-01-01T00:00:00Z"),
    ({"text": "x = 1"}, "invalid_rule", "x"),
])
def test_what_cannot_be_asked(server, body, code, words):
    answer = server.post("/v1/count", body)
    assert answer.status == 400 and answer.error == code
    error = answer.json["error"]
    assert words in error["message"]
    assert set(error) == {"code", "path", "message", "line", "column"}


def test_a_caret_has_its_place(server):
    error = server.post("/v1/count", {"text": "email opened exists\n  and )"}).json["error"]
    assert (error["line"], error["column"]) == (2, 7)


@pytest.mark.parametrize("path, body", [
    ("/v1/export", {"text": RULE, "output": "/tmp/winnow-never"}),
    ("/v1/segments/a", {"profiles": "/etc/passwd"}),
    ("/v1/overlap", {"rules": [RULE, RULE], "files": ["/etc/passwd"]}),
])
def test_nothing_names_a_file(server, path, body):
    method = "PUT" if "segments" in path else "POST"
    assert server.ask(method, path, body).status == 400


@pytest.mark.parametrize("query", ["map=/etc/passwd", "map=./x.json", "rejects=/tmp/winnow-never", "files=/etc/passwd", "memory=1TiB"])
def test_no_load_names_a_file(server, query):
    answer = server.post(f"/v1/load/feed?{query}", "{}", Content_Type="application/json")
    assert (answer.status, answer.error) == (400, "usage")


def test_metrics(server):
    server.post("/v1/count", {"text": RULE})
    text = server.get("/metrics").text
    assert 'winnow_requests_total{path="/v1/count",method="POST",status="200"} 1' in text
    assert 'winnow_request_seconds_bucket{path="/v1/count",method="POST",le="+Inf"} 1' in text
    assert re.search(r"^winnow_store_profiles 6$", text, re.M)
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) .*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+", line), line
