"""Requests that mean no good, and clients that go away."""

import concurrent.futures
import gzip
import json
import resource
import signal
import socket
import threading
import time

import pytest
from conftest import BOOKSHOP, cli

COUNT = {"text": "email opened exists"}
# Half a minute of work on the large store.
HEAVY = {"text": "email opened not happened after last delivered within 2 days", "since": "2025-01-01", "until": "2025-12-31",
         "every": "1h"}


def raw(server, text, wait=20.0):
    """What comes back for some bytes, until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", server.port), wait) as connection:
        connection.sendall(text)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def head(server, method="POST", path="/v1/count", media="application/json", **fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {server.token}", f"Content-Type: {media}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"text": "\xc3"}', b'{"text": "a", "text": "b"}', b'{"text": 1}', b'{"rule": []}',
    b'{"text": "' + b"(" * 100_000 + b'"}', b'{"rule": ' + b'{"not": ' * 5000 + b"1" + b"}" * 5001, b"[" * 500_000,
    b'{"rule": ' + b'{"all": [' * 200 + b"]}" * 200 + b"}", b'{"text": "email opened exists"} x', b'{"text": "\\u0000"}',
    b'{"text": "email opened at least 99999999999999999999999"}', b'{"threads": 99999999999999999999999, "text": "email opened exists"}'])
def test_bodies_that_are_no_question(server, body):
    answer = server.post("/v1/count", body, Content_Type="application/json")
    assert answer.status == 400 and answer.error in ("usage", "invalid_rule")
    assert server.post("/v1/count", COUNT).json["count"] == 2


def test_bodies_that_are_too_large(start, bookshop):
    server = start(bookshop, "--max-body", "10KiB")
    body = json.dumps({"text": "email opened exists" + " " * 9000}).encode()
    assert server.post("/v1/count", body, Content_Type="application/json").status == 200
    large = b'{"text": "' + b" " * 20_000_000 + b'"}'
    answer = server.post("/v1/count", large, Content_Type="application/json")
    assert (answer.status, answer.error) == (413, "too_large")

    def pieces():
        for _ in range(1000):
            yield b" " * 10_000

    answer = server.post("/v1/count", pieces(), Content_Type="application/json", Transfer_Encoding="chunked")
    assert answer.status == 413
    assert server.resident() < 100 << 20


def test_a_body_that_nobody_is_to_send(server):
    answer = raw(server, head(server, Content_Length=1 << 40, Expect="100-continue"))
    assert answer.startswith(b"HTTP/1.1 413") and b"Connection: close" in answer


def test_who_asks_before_sending(server):
    body = json.dumps(COUNT).encode()
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head(server, Content_Length=len(body), Expect="100-continue"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert b"200 OK" in connection.recv(4096)


@pytest.mark.parametrize("text", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /v1/count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", b"G" * 300_000])
def test_what_is_no_request(server, text):
    answer = raw(server, text, wait=2)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:80]
    assert server.get("/healthz").status == 200


def test_slow_bodies(start, bookshop):
    server = start(bookshop, "--timeout", "1s")
    begin = time.monotonic()
    answer = raw(server, head(server, Content_Length=100) + b'{"te')
    assert answer.startswith(b"HTTP/1.1 408") and b'"timeout"' in answer
    assert 0.8 < time.monotonic() - begin < 6
    answer = raw(server, head(server, path="/v1/load/events", media="text/csv", Content_Length=100) + b"profile")
    assert answer.startswith(b"HTTP/1.1 408")
    assert server.get("/v1/store").json["version"] == 5 - 1


def test_a_load_that_takes_its_time(start, bookshop, tmp_path):
    """Slow as it is, it moves on: the limit is for each wait."""
    import shutil

    server = start(shutil.copytree(bookshop, tmp_path / "store"), "--timeout", "1s")
    lines = (BOOKSHOP / "events.csv").read_bytes().splitlines(keepends=True)

    def slowly():
        for line in lines:
            yield line
            time.sleep(0.15)

    answer = server.post("/v1/load/events", slowly(), Content_Type="text/csv", Transfer_Encoding="chunked")
    assert answer.status == 200 and answer.json["new"] == 14


@pytest.mark.parametrize("chunked", [True, False])
def test_a_load_that_ends_early_stores_nothing(server, chunked):
    body = (BOOKSHOP / "events.csv").read_bytes()
    fields = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": len(body)}
    sent = f"{len(body):x}\r\n".encode() + body + b"\r\n" if chunked else body[:-20]
    before = server.get("/v1/store").json
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(head(server, path="/v1/load/events", media="text/csv", **fields) + sent)
            time.sleep(0.2)
    until(lambda: server.metric("winnow_evaluations_running") == 0)
    after = server.get("/v1/store").json
    assert (after["version"], after["events"]) == (before["version"], before["events"])
    assert server.post("/v1/load/events", body, Content_Type="text/csv").status == 200


def test_a_load_that_does_not_compress_what_it_says(server):
    body = gzip.compress((BOOKSHOP / "events.csv").read_bytes())
    for bad in (body[:-9], b"x" + body, body[:60] + b"\0" * 50):
        answer = server.post("/v1/load/events", bad, Content_Type="text/csv", Content_Encoding="gzip")
        assert (answer.status, answer.error) == (422, "bad_gzip")


def test_a_load_that_is_wrong_from_the_start(server):
    """The answer comes although the client goes on sending."""
    def pieces():
        yield b"profile,channel,event,time\nnobody,email,opened,2025-01-01T00:00:00Z\n"
        for _ in range(300):
            yield b"ada,email,opened,2025-01-01T00:00:00Z\n" * 1000

    answer = server.post("/v1/load/events", pieces(), Content_Type="text/csv", Transfer_Encoding="chunked")
    assert (answer.status, answer.error) == (422, "unknown_profile")


def test_loads_of_nothing(server):
    """On one connection, each refused before its body is looked at."""
    connection = server.connect()
    for path in ("nokind", "feed", "feed?map=none", "events?format=csv", "events?unknown=1", "profiles") * 20:
        for body in (b"", b"id\n"):
            answer = server.post(f"/v1/load/{path}", body, connection=connection, Content_Type="text/csv")
            assert answer.status in (200, 400, 422), answer.text
            if answer.headers["Connection"] == "close":
                connection = server.connect()
    assert server.metric("winnow_evaluations_running") == 0


def test_one_writer_at_a_time(server):
    body = (BOOKSHOP / "events.csv").read_bytes()
    with socket.create_connection(("127.0.0.1", server.port), 10) as first:
        first.sendall(head(server, path="/v1/load/events", media="text/csv", Content_Length=len(body)) + body[:50])
        until(lambda: server.metric("winnow_evaluations_running") == 1)
        second = server.post("/v1/load/events", body, Content_Type="text/csv")
        assert (second.status, second.error) == (409, "another_writer")
        first.sendall(body[50:])
        assert b'"new": 14' in first.recv(4096)


def test_a_client_that_goes_away_cancels(start, large):
    server = start(large)
    body = json.dumps(HEAVY).encode()
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(head(server, path="/v1/series", Content_Length=len(body)) + body)
        until(lambda: server.metric("winnow_evaluations_running") == 1)
    gone = time.monotonic()
    until(lambda: server.metric("winnow_evaluations_running") == 0)
    assert time.monotonic() - gone < 2
    assert 'path="/v1/series",method="POST",status="499"} 1' in server.get("/metrics").text


def test_the_head_of_a_long_list(server):
    for i in range(400):
        server.ask("PUT", f"/v1/segments/{i}", {"text": "age > 1", "description": "d" * 500})
    assert len(server.get("/v1/segments").body) > 3 << 16
    for _ in range(40):
        assert server.ask("HEAD", "/v1/segments").status == 200
    until(lambda: server.metric("winnow_evaluations_running") == 0)


def test_what_was_done_is_not_called_undone(start, large, tmp_path):
    """Whoever is told that nothing was done may try again."""
    import shutil

    server = start(shutil.copytree(large, tmp_path / "store"), "--timeout", "15ms")
    for i in range(60):
        before = cli("segment", server.store, "list", "--format", "json").count("\n")
        answer = server.ask("PUT", f"/v1/segments/{i}", {"text": f"email opened at least {1 + i % 3} times in the last {200 + i} days", "freeze": True,
                                                       "as_of": "2025-12-01T00:00:00Z"})
        after = cli("segment", server.store, "list", "--format", "json").count("\n")
        assert (answer.status, after - before) in ((200, 1), (503, 0)), answer.text
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=20)
    server.end = lambda: ""


def test_what_takes_too_long(start, large):
    server = start(large, "--timeout", "500ms")
    begin = time.monotonic()
    answer = server.post("/v1/series", HEAVY)
    assert (answer.status, answer.error) == (503, "timeout")
    assert time.monotonic() - begin < 3
    until(lambda: server.metric("winnow_evaluations_running") == 0)
    server.process.send_signal(signal.SIGTERM)
    _, errors = server.process.communicate(timeout=20)
    # Logs name the path and the code, and nothing of what was asked.
    assert errors.rstrip().endswith("error: /v1/series 503 timeout") and "opened" not in errors
    server.end = lambda: ""


def test_too_many_at_once(start, large):
    server = start(large, "--max-concurrent", "2")
    connections = []
    body = json.dumps(HEAVY).encode()
    for _ in range(2):
        connection = socket.create_connection(("127.0.0.1", server.port), 10)
        connection.sendall(head(server, path="/v1/series", Content_Length=len(body)) + body)
        connections.append(connection)
    # Figures need a turn, too.
    time.sleep(0.5)
    begin = time.monotonic()
    answer = server.post("/v1/count", COUNT)
    assert (answer.status, answer.error, answer.headers["Retry-After"]) == (429, "too_many_requests", "1")
    assert 0.9 < time.monotonic() - begin < 3
    for connection in connections:
        connection.close()
    until(lambda: server.post("/v1/count", COUNT).status == 200)


def test_a_client_that_does_not_read(start, large):
    """What nobody takes is not made, and not waited for longer than the limit."""
    server = start(large, "--timeout", "1s")
    body = json.dumps({"text": "not email opened at least 1000", "format": "ndjson"}).encode()
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head(server, path="/v1/export", Content_Length=len(body)) + body)
        until(lambda: server.metric("winnow_evaluations_running") == 1)
        assert server.resident() < 200 << 20
        until(lambda: server.metric("winnow_evaluations_running") == 0, 10)


def test_a_long_export_is_whole(start, large, tmp_path):
    server = start(large)
    answer = server.post("/v1/export", {"text": "not email opened at least 1000", "format": "ndjson"})
    cli("export", large, "not email opened at least 1000", "--format", "ndjson", "-o", tmp_path / "out")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.body == (tmp_path / "out").read_bytes()


def test_idle_connections(start, bookshop):
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = start(bookshop)
    number = min(10_000, most // 2 - 100)
    idle = []
    try:
        for i in range(number):
            idle.append(socket.create_connection(("127.0.0.1", server.port), 20))
        begin = time.monotonic()
        assert server.post("/v1/count", COUNT).json["count"] == 2
        assert time.monotonic() - begin < 2
        per_connection = server.resident() / number
        assert per_connection < 40_000, per_connection
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    assert server.post("/v1/count", COUNT).json["count"] == 2


def test_many_questions_on_one_connection(server):
    connection = server.connect()
    for i in range(200):
        body = {"text": f"age >= {i}"} if i % 3 else {"text": "age >="}
        assert server.post("/v1/count", body, connection=connection).status == (200 if i % 3 else 400)


def test_questions_in_a_row_without_waiting(server):
    body = json.dumps(COUNT).encode()
    one = head(server, Content_Length=len(body)) + body
    last = head(server, Content_Length=len(body), Connection="close") + body
    answer = raw(server, one * 9 + last)
    assert answer.count(b"HTTP/1.1 200") == 10


def test_many_clients(server):
    def ask(i):
        return server.post("/v1/count", {"text": f"age >= {i % 70}"}).json["count"]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        got = list(pool.map(ask, range(700)))
    assert got == got[:70] * 10


def test_it_ends_when_what_is_under_way_is_done(start, large):
    server = start(large)
    results = []
    body = {**HEAVY, "until": "2025-01-15"}
    thread = threading.Thread(target=lambda: results.append(server.post("/v1/series", body)))
    thread.start()
    until(lambda: server.metric("winnow_evaluations_running") == 1)
    idle = server.connect()
    idle.connect()
    server.process.send_signal(signal.SIGTERM)
    thread.join(30)
    assert results and results[0].status == 200 and len(results[0].lines) == 337
    assert server.process.wait(10) == 0
