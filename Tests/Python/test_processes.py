"""Other processes: forked, spawned, and writing at the same time."""

import multiprocessing
import subprocess
import sys

import pytest

import winnow

RULE = "email opened exists"
AS_OF = "2025-10-15T00:00:00Z"


def asked(store):
    return int(store.count(RULE, as_of=AS_OF))


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_stores_go_to_other_processes(bookshop, method):
    expected = asked(bookshop)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(asked, [bookshop] * 4) == [expected] * 4
    with pytest.raises(TypeError, match="pickled"):
        multiprocessing.reduction.ForkingPickler.dumps(bookshop.snapshot())


def test_a_child_goes_on_with_what_it_inherits(bookshop):
    import os

    snapshot, prepared = bookshop.snapshot(), bookshop.prepare(RULE, as_of=AS_OF)
    expected = prepared.count()
    child = os.fork()
    if child == 0:
        right = prepared.count() == expected and snapshot.count(RULE, as_of=AS_OF) == expected
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0


WRITER = """
import sys, winnow
store = winnow.open(sys.argv[1])
class Slow:
    def __init__(self): self.i = 0
import pyarrow as pa
schema = pa.schema({"id": pa.string()})
def batches():
    yield pa.record_batch([["a"]], schema=schema)
    print("loading", flush=True)
    sys.stdin.readline()
store.load("profiles", pa.RecordBatchReader.from_batches(schema, batches()))
"""


def test_another_writer_is_told(shop):
    pytest.importorskip("pyarrow")
    with subprocess.Popen([sys.executable, "-c", WRITER, shop.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as writer:
        assert writer.stdout.readline() == "loading\n"
        with pytest.raises(winnow.AnotherWriter):
            shop.load("profiles", [{"id": "b"}])
        writer.stdin.write("\n")
        writer.stdin.close()
        assert writer.wait() == 0
    assert shop.load("profiles", [{"id": "b"}]).new == 1 and shop.info()[0]["profiles"] == 2
