"""A server that says what `recording` took down: `python replay.py RECORDING`.

An edit by the task "simplify" fails as it did then. Ghost text is never there.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any


def _write(message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    sys.stdout.buffer.flush()


def _read() -> dict[str, Any] | None:
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        if found := re.fullmatch(rb"Content-Length: (\d+)", line):
            length = int(found[1])
    return json.loads(sys.stdin.buffer.read(length)) if length else None


def _answer(said: dict[str, Any], method: str, params: Any) -> dict[str, Any]:
    if method == "initialize":
        return {"result": said["initialize"]}
    if method == "twotrack/edit":
        found = said["edits"].get(params["task"])
        return {"result": found} if found else {"error": said["refused"]}
    return {"result": said["answers"].get(method)}


def serve(said: dict[str, Any]) -> None:
    """Answer until the editor leaves."""
    while (message := _read()) is not None and message.get("method") != "exit":
        method = message.get("method")
        if method == "initialized":
            for name, params in said["notifications"]:
                _write({"method": name, "params": params})
        elif method is not None and "id" in message:
            answer = _answer(said, method, message.get("params"))
            _write({"id": message["id"], **answer})


if __name__ == "__main__":
    serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
