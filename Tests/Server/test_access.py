"""Who is let in, and what comes of requests that are none."""

import socket

import pytest
from conftest import SERVER, Server

import subprocess

OPEN = ["/", "/page.js", "/page.css", "/healthz", "/openapi.json"]
CLOSED = ["/metrics", "/v1/store", "/v1/segments", "/v1/none", "/none"]


@pytest.mark.parametrize("path", OPEN)
def test_open_to_all(server, path):
    answer = server.get(path, Authorization=None)
    assert answer.status == 200
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not any(name.lower().startswith("access-control") for name in answer.headers)
    head = server.ask("HEAD", path, Authorization=None)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", answer.headers["Content-Length"])


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer x", "Basic {token}", "Bearer {token}x", "Bearer {token} x"])
def test_closed_without_the_token(server, path, token):
    given = token and token.format(token=server.token)
    answer = server.get(path, Authorization=given)
    assert (answer.status, answer.error) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("LOCALHOST:8420", 200), ("127.0.0.1:1", 200), ("127.1.2.3", 200), ("[::1]:8420", 200),
    ("shop.example", 200), ("Shop.Example:443", 200),
    ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.256", 403),
    ("", 403), ("[::2]", 403), ("shop.example.evil", 403), ("[::1].evil.example", 403), ("localhost:evil.example", 403),
    ("localhost:80@evil", 403), ("127.0.0.1:8420, evil.example", 403), ("127.+1.0.0", 403)])
def test_names_of_this_machine(start, bookshop, host, status):
    server = start(bookshop, "--allow-host", "shop.example")
    for path in ("/", "/v1/store"):
        assert server.get(path, Host=host).status == status


@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403), ({"Sec_Fetch_Site": "Cross-Site"}, 403), ({"Sec_Fetch_Site": "same-origin, cross-site"}, 403), ({"Sec_Fetch_Site": "same-origin"}, 200), ({"Sec_Fetch_Site": "none"}, 200)])
def test_pages_of_other_sites(server, headers, status):
    assert server.get("/v1/store", **headers).status == status
    assert server.get("/", **headers).status == status


def test_links_on_other_sites(server):
    """People may follow them to the page."""
    headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert server.get("/", Authorization=None, **headers).status == 200
    assert server.get("/v1/store", **headers).status == 403
    assert server.get("/", Origin="http://evil.example", **headers).status == 403


def test_its_own_page(server):
    assert server.get("/v1/store", Origin=server.url).status == 200


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/v1/store", "GET"), ("GET", "/v1/count", "POST"), ("PATCH", "/v1/segments/a", "GET, PUT, DELETE"),
    ("OPTIONS", "/v1/count", "POST"), ("TRACE", "/", "GET"), ("DELETE", "/healthz", "GET")])
def test_methods(server, method, path, allowed):
    answer = server.ask(method, path)
    assert (answer.status, answer.error, answer.headers["Allow"]) == (405, "method_not_allowed", allowed)


@pytest.mark.parametrize("path", [
    "/v1", "/v1/", "//v1/store", "/v1//store", "/v1/store/", "/v1/../v1/store", "/v1/%2e%2e/store", "/v1/count/../store",
    "/v1/segments/a/b", "/..%2f..%2fetc/passwd", "/page.js/../../etc/passwd", "/v1/store%00", "/V1/store", "/v1/segments/%ff",
    "/v1/segments/%zz", "/v1/segments/%"])
def test_paths_that_lead_nowhere(server, path):
    assert server.get(path).status == 404


def test_a_name_may_be_anything(server):
    for name in ("..%2F..%2Fetc%2Fpasswd", "%00", "a%0Ab", "%2e%2e"):
        assert server.get(f"/v1/segments/{name}").status in (400, 404)


@pytest.mark.parametrize("media", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"])
def test_other_media_types(server, media):
    answer = server.ask("POST", "/v1/count", '{"text": "email opened exists"}', Content_Type=media)
    assert (answer.status, answer.error) == (415, "unsupported_media_type")
    assert server.ask("POST", "/v1/load/events", "x", Content_Type=media).status == 415


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip"])
def test_other_codings(server, coding):
    assert server.post("/v1/load/events", b"x", Content_Type="text/csv", Content_Encoding=coding).status == 415
    assert server.post("/v1/count", {"text": "email opened exists"}, Content_Encoding="gzip").status == 415


def test_reading_only(start, bookshop):
    server = start(bookshop, "--read-only")
    for method, path in [("PUT", "/v1/segments/a"), ("DELETE", "/v1/segments/a"), ("POST", "/v1/refresh"), ("POST", "/v1/load/events")]:
        answer = server.ask(method, path, {"text": "email opened exists"})
        assert (answer.status, answer.error) == (403, "read_only")
    assert server.post("/v1/count", {"text": "email opened exists"}).json["count"] == 2


def test_a_token_of_ones_own(start, bookshop, tmp_path):
    (tmp_path / "token").write_text("correct-horse-battery\n")
    server = start(bookshop, "--token-file", tmp_path / "token")
    assert server.token is None
    server.token = "correct-horse-battery"
    assert server.get("/v1/store").status == 200
    server.token = "correct-horse-batterx"
    assert server.get("/v1/store").status == 401


@pytest.mark.parametrize("options, status, words", [
    (["--listen", "0.0.0.0:0"], 64, "--token-file"), (["--listen", "[::]:0"], 64, "--token-file"),
    (["--listen", "example"], 64, "127.0.0.1:8420"), (["--listen", "127.0.0.1:99999"], 64, "127.0.0.1:8420"),
    (["--max-body", "x"], 64, "1MiB"), (["--timeout", "0s"], 64, "30s"), (["--timeout", "9999999999999999999h"], 64, "30s"),
    (["--max-concurrent", "0"], 64, "1 to"), (["--token-file", "/none"], 66, "/none"), (["--token-file", "/dev/null"], 64, "16")])
def test_what_cannot_be_started(bookshop, options, status, words):
    done = subprocess.run([SERVER, bookshop, *options], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


def test_what_cannot_be_served(tmp_path, server):
    done = subprocess.run([SERVER, tmp_path / "none"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 66
    taken = subprocess.run(
        [SERVER, server.store, "--listen", f"127.0.0.1:{server.port}"], capture_output=True, text=True, timeout=20)
    assert taken.returncode == 74 and "in use" in taken.stderr


def test_help():
    done = subprocess.run([SERVER, "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "--token-file" in done.stdout and "demo-store" in done.stdout


def test_without_a_host(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 403 " in connection.recv(4096)
