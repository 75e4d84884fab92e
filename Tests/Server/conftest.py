"""A server over the bookshop's store, and a client that is as plain as can be."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = pathlib.Path(os.environ.get("WINNOW_SERVER", ROOT / ".build/server/release/winnow-server"))
WINNOW = pathlib.Path(os.environ.get("WINNOW", ROOT / ".build/server/release/winnow"))
BOOKSHOP = ROOT / "data/bookshop"


def cli(*arguments, status=0):
    """What the command line prints."""
    done = subprocess.run([WINNOW, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def error(self):
        return self.json["error"]["code"]


class Server:
    def __init__(self, store, *options):
        self.store = store
        self.process = subprocess.Popen(
            [SERVER, store, "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/(?:#token=(\w+))?", line)
        assert found, line + self.process.stderr.read()
        self.port, self.token = int(found[1]), found[2]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout=20):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, connection=None, **headers):
        """Sends one request. A dict is sent as JSON; names of headers have _ for -."""
        fields = {"Authorization": f"Bearer {self.token}"}
        if isinstance(body, dict):
            body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        for name, value in headers.items():
            name = name.replace("_", "-")
            fields.pop(name, None)
            if value is not None:
                fields[name] = value
        connection = connection or self.connect()
        # An iterable goes out in chunks, as it comes.
        connection.request(method, path, body, fields, encode_chunked=not isinstance(body, (str, bytes, type(None))))
        return Answer(connection.getresponse())

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def metric(self, name):
        return int(re.search(rf"^{name} (\d+)$", self.get("/metrics").text, re.M)[1])

    def resident(self):
        """Bytes of memory that are not of files."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) << 10

    def end(self):
        """Ends it as a supervisor does.

        Returns what it wrote to standard error.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, errors
        return errors


def make_store(path):
    cli("create", path, "--schema", BOOKSHOP / "schema.json")
    for file in ("profiles.csv", "campaigns.ndjson", "events.csv"):
        cli("load", path, file.split(".")[0], BOOKSHOP / file)
    return path


@pytest.fixture(scope="session")
def bookshop(tmp_path_factory):
    """A store that nobody writes to."""
    return make_store(tmp_path_factory.mktemp("bookshop") / "store")


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A store on which counting takes a while."""
    folder = tmp_path_factory.mktemp("large")
    cli("datagen", folder, "--profiles", 300000, "--events", 3000000)
    cli("create", folder / "store", "--infer", folder / "profiles.csv")
    for file in ("profiles.csv", "campaigns.ndjson", "events.csv"):
        if (folder / file).exists():
            cli("load", folder / "store", file.split(".")[0], folder / file)
    yield folder / "store"
    shutil.rmtree(folder)


@pytest.fixture
def start(request):
    """Starts servers that end with the test, without a word on standard error."""

    def begin(store, *options):
        server = Server(store, *options)
        request.addfinalizer(lambda: check(server))
        return server

    def check(server):
        assert server.end() == ""

    return begin


@pytest.fixture
def server(start, bookshop, tmp_path):
    """A server over a store of its own."""
    return start(shutil.copytree(bookshop, tmp_path / "store"))
