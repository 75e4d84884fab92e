"""The example that shows how it is used, run as it is."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "data" / "examples" / "python" / "bookshop.py"


def test_the_example_says_what_it_says(tmp_path):
    pytest.importorskip("pyarrow")
    page = tmp_path / "page.html"
    ran = subprocess.run([sys.executable, EXAMPLE, tmp_path, page], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (EXAMPLE.with_suffix(".txt")).read_text()
    assert page.read_text().count("<tr>") == 6
