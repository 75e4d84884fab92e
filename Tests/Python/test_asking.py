"""Counting, listing and explaining."""

import datetime
import decimal
import json
import pickle
import threading

import pytest

import winnow
from winnow import email, field, goal, push, sample, segment, sms, subscription

AS_OF = "2025-10-15T00:00:00Z"
OPENED = "email opened exists"


def test_a_count_is_an_int_that_knows_more(bookshop):
    count = bookshop.snapshot().count(OPENED, as_of=AS_OF)
    assert count == 2 and isinstance(count, int) and count + 1 == 3
    assert count.universe == 6 and count.warnings == [] and count.windows == []
    assert count.elapsed_ms > 0 and count.as_of == "2025-10-15T00:00:00.000Z"
    assert pickle.loads(pickle.dumps(count)).universe == 6
    windowed = bookshop.count("email opened at least 1 in the last 30 days", as_of=AS_OF, timezone="Europe/Berlin")
    assert windowed.windows[0]["to_inclusive"] is True
    moment = datetime.datetime(2025, 10, 15, tzinfo=datetime.timezone.utc)
    assert bookshop.count(OPENED, as_of=moment).as_of == count.as_of
    for wrong in (datetime.date(2025, 1, 1), 5):
        with pytest.raises(winnow.Usage, match="instant"):
            bookshop.count(OPENED, as_of=wrong)
    early = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    with pytest.raises(winnow.Usage, match="years"):
        bookshop.count(OPENED, as_of=early)
    with pytest.raises(winnow.Usage, match="time zone"):
        bookshop.count(OPENED, as_of=datetime.datetime(2025, 10, 15))


def test_rules_are_text_dicts_or_built(bookshop):
    built = email.opened.exists & ~field("country").is_in(["DE"])
    rules = [OPENED, {"activity": {"channel": "email", "event": "opened", "operator": "exists"}}, built]
    counts = bookshop.counts(rules, as_of=AS_OF)
    assert counts[0] == counts[1] == 2
    assert counts[2] == bookshop.count(OPENED + ' and not country in ("DE")', as_of=AS_OF)
    assert bookshop.counts([]) == []
    for wrong in (7, None, ["a"], b"x"):
        with pytest.raises(winnow.Usage):
            bookshop.count(wrong)
    with pytest.raises(winnow.Usage, match="list"):
        bookshop.counts(OPENED)


def test_answers_agree_with_each_other(bookshop):
    pyarrow = pytest.importorskip("pyarrow")
    numpy = pytest.importorskip("numpy")
    pyroaring = pytest.importorskip("pyroaring")
    snapshot = bookshop.snapshot()
    for rule in (OPENED, 'country = "DE"', "not email opened exists", "email opened at least 999 times"):
        count = snapshot.count(rule, as_of=AS_OF)
        ids = snapshot.ids(rule, as_of=AS_OF)
        ids.validate(full=True)
        assert ids.type == pyarrow.large_string() and len(ids) == count
        rows = snapshot.rows(rule, as_of=AS_OF)
        assert rows.dtype == numpy.uint32 and rows.shape == (count,) and (numpy.diff(rows.astype(int)) > 0).all()
        bitmap = snapshot.bitmap(rule, as_of=AS_OF)
        assert bitmap == pyroaring.BitMap(rows.tolist())
        table = snapshot.table(rule, fields=["country"], as_of=AS_OF)
        table.validate(full=True)
        assert table.column_names == ["id", "country"] and table["id"].to_pylist() == ids.to_pylist()
        prepared = snapshot.prepare(rule, as_of=AS_OF)
        assert prepared.count() == count
    lines = [winnow_line for winnow_line in snapshot.export(OPENED, format="ids", as_of=AS_OF)]
    assert lines == snapshot.ids(OPENED, as_of=AS_OF).to_pylist()


def test_what_was_handed_out_outlives_everything(bookshop):
    pytest.importorskip("pyarrow")
    store = winnow.open(bookshop.path)
    snapshot = store.snapshot()
    ids, rows, reader = snapshot.ids(OPENED), snapshot.rows(OPENED), snapshot.reader(OPENED)
    expected = ids.to_pylist()
    piece = ids[1:]
    snapshot.close()
    store.close()
    del snapshot, store, ids
    assert piece.to_pylist() == expected[1:]
    assert rows.tolist() == sorted(rows.tolist())
    assert reader.read_all()["id"].to_pylist() == expected
    with pytest.raises(winnow.Usage, match="closed"):
        with winnow.open(bookshop.path) as store:
            pass
        store.count(OPENED)


def test_errors_say_where(bookshop):
    with pytest.raises(winnow.InvalidRule) as caught:
        bookshop.count("email opned exists")
    assert (caught.value.line, caught.value.column, caught.value.code) == (1, 7, "invalid_rule")
    assert "did you mean" in str(caught.value) and isinstance(caught.value, ValueError)
    with pytest.raises(winnow.InvalidRule) as caught:
        bookshop.count(email.opened.exists & (field("no") == 3))
    assert caught.value.path == "where.all[1].field.name"
    with pytest.raises(winnow.NotFound):
        winnow.open("/nowhere")
    with pytest.raises(winnow.CannotCreate):
        winnow.create(bookshop.path)
    with pytest.raises(winnow.Usage, match="NUL"):
        bookshop.count("a\0b")
    with pytest.raises(winnow.Usage, match="Unicode"):
        bookshop.count("\ud800")
    with pytest.raises(winnow.Usage, match="threds"):
        bookshop.explain(OPENED, threds=1)
    for error in (winnow.InvalidRule("m", "invalid_rule", "where", 1, 2), winnow.MissingPackage("m")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == "m" and again.path == error.path


def test_every_builder_is_a_rule_that_the_engine_reads():
    built = {
        "email opened exists": email.opened.exists,
        "sms clicked does not exist": sms.clicked.does_not_exist,
        "email opened at least 3 times in the last 90 days": email.opened.at_least(3).last(90),
        "email opened at most 2 times in the last 3 hours": email.opened.at_most(2).last(3, "hours"),
        "email opened between 2 and 4 times from 2025-01-01 to 2025-02-01": email.opened.between(2, 4).between(
            datetime.date(2025, 1, 1), "2025-02-01"),
        "email opened exactly 2 times this month": email.opened.exactly(2).period("this_month"),
        'email clicked at least 2 times in campaigns tagged "Sale" on link "l3"':
            email.clicked.at_least(2).in_campaigns(tagged="Sale").on_links("l3"),
        'email clicked at least 1 times in campaigns ("a", "b") counting at least 2':
            email.clicked.at_least(1).in_campaigns("a", "b").counting(2),
        "email opened not happened in campaigns latest 5": email.opened.not_happened.in_campaigns(latest=5),
        "email opened not happened after last delivered within 2 days":
            email.opened.not_happened.after("delivered", within=2),
        "email opened at least 1 times by people": email.opened.at_least(1).by("people"),
        'in segment "vip"': segment("vip"),
        "reachable by email": email.reachable,
        'country in ("DE", "FR") and birthday aged 25 to 34':
            field("country").is_in(["DE", "FR"]) & field("birthday").aged(25, 34),
        "ltv >= 100.10 and not vip = true": (field("ltv") >= decimal.Decimal("100.10")) & ~(field("vip") == True),  # noqa: E712
        "registered since today-30": field("registered").during({"from": "today-30"}),
        "email is not blank or phone does not exist": field("email").is_not_blank | field("phone").does_not_exist,
        'goal "p" at least 2 times value sum at least 100 in the last 3 days':
            goal("p").at_least(2).value("sum", at_least=100).last(3),
        "subscription at least 2 times channel push": subscription(push).at_least(2),
    }  # fmt: skip
    for text, rule in built.items():
        assert winnow.command("rule", rule=text, to="json") == winnow.command("rule", rule=rule, to="json"), text
    rule = sample(0, 2.5, "a") & "email opened exists" & (sms.sent.exists | sms.sent.at_least(2))
    assert list(rule.to_rule()) == ["all"] and len(rule.to_rule()["all"]) == 3
    assert pickle.loads(pickle.dumps(rule)) == rule and hash(rule) == hash(pickle.loads(pickle.dumps(rule)))
    assert rule.text().startswith("sample")
    assert field("a").is_in("DE") == field("a").is_in(["DE"]) and field("a").not_in("DE") == field("a").not_in(("DE",))
    assert (field("a") == 1) != (field("a") == True)  # noqa: E712
    rule.to_rule()["all"].clear()
    assert len(rule.to_rule()["all"]) == 3
    named = winnow.Rule.named("n", rule, "Europe/Berlin")
    assert winnow.command("rule", rule=named, to="json")[0]["timezone"] == "Europe/Berlin"
    for wrong in (lambda: named & rule, lambda: ~named, lambda: winnow.Rule.named("m", named), lambda: rule | named):
        with pytest.raises(winnow.Usage, match="stands alone"):
            wrong()
    deep = rule
    for _ in range(3000):
        deep = ~deep
    with pytest.raises(winnow.Usage, match="nested too deep"):
        str(deep)
    with pytest.raises(winnow.Usage, match="neither true nor false"):
        bool(rule)
    with pytest.raises(AttributeError, match="opend"):
        email.opend


def test_an_explanation_is_a_tree(bookshop):
    explanation = bookshop.explain('email opened exists and not (country = "<DE>" or vip = true)'.replace(
        "vip", "member"), as_of=AS_OF)
    root = explanation.root
    assert explanation.count == root.count and [child.text for child in root.children][0] == "email opened exists"
    assert [node.text for node in root.children[1].children] == ["any of"]
    assert len(root.children[1].children[0].children) == 2
    page = explanation._repr_html_()
    assert "&lt;DE&gt;" in page and "<DE>" not in page and page.count("<tr>") == 7
    assert str(explanation).splitlines()[2].startswith("all of") and "├ email opened exists" in str(explanation)


def test_commands_of_the_command_line(bookshop):
    assert bookshop.info()[0]["profiles"] == 6
    assert bookshop.show("ada")[0]["id"] == "ada"
    assert bookshop.breakdown(OPENED, by=["country"], as_of=AS_OF)[0]
    assert bookshop.overlap([OPENED, field("country") == "DE"], as_of=AS_OF)
    assert any("opened" in json.dumps(line) for line in winnow.command("catalog"))
    with pytest.raises(winnow.Usage, match="unknown"):
        bookshop.call("nonsense")


def test_saved_segments_and_versions(tmp_path, shop):
    shop.load("profiles", [{"id": "a", "a_integer": 1}, {"id": "b", "a_integer": 2}])
    before = shop.snapshot()
    shop.call("segment save", name="big", rule=field("a_integer") >= 2)
    shop.load("profiles", [{"id": "c", "a_integer": 3}])
    assert shop.count(segment("big")) == 2 and before.count(field("a_integer") >= 2) == 1
    with pytest.raises(winnow.InvalidRule):
        before.count(segment("big"))


def test_threads(bookshop):
    snapshot = bookshop.snapshot()
    expected = snapshot.count(OPENED, as_of=AS_OF)
    wrong = []

    def work():
        for _ in range(200):
            if snapshot.count(OPENED, as_of=AS_OF) != expected:
                wrong.append(1)
            try:
                snapshot.count("email opned exists")
                wrong.append(2)
            except winnow.InvalidRule as error:
                if error.column != 7:
                    wrong.append(3)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
