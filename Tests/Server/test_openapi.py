"""The document says what the server does: schemathesis tries it out."""

import pathlib
import subprocess
import sys


def test_each_operation_is_what_the_document_says(server, tmp_path):
    document = server.get("/openapi.json", Authorization=None).json
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) >= 25
    for operation in operations:
        assert operation["summary"].endswith(".")
        for parameter in operation.get("parameters", []):
            assert parameter["description"]
    body = document["paths"]["/v1/count"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"rule", "text", "as_of", "timezone", "strict", "threads"}


def test_schemathesis(server, tmp_path):
    # No schema can say which texts are rules, so that valid ones may be refused is not looked at.
    done = subprocess.run(
        [pathlib.Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/openapi.json",
         "-H", f"Authorization: Bearer {server.token}", "--exclude-checks", "positive_data_acceptance",
         "--max-examples", "40", "--continue-on-failure", "--no-color", "--seed", "7"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:]
