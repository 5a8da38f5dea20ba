"""The commands of docs/commands.md as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from commands.conftest import Run
from fakes.model_server import ModelServer, Reply
from fakes.replies import RequestLog

pytestmark = pytest.mark.slow  # a process of its own for each command

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
CODE = "def area(width: float, height: float) -> float:\n    return width * height"


def commands() -> list[str]:
    """The lines of the block beneath "Without an editor"."""
    text = PAGE.read_text(encoding="utf-8").partition("## Without an editor")[2]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1].strip().splitlines()


def answer(request: RequestLog) -> Reply | None:
    """What a capable model would say."""
    if "messages" not in (request.body or {}):
        return None
    asked = str(request.body["messages"])
    words = CODE if "type hints" in asked else "Return the area."
    return Reply(f"<answer>\n{words}\n</answer>")


@pytest.mark.parametrize("command", commands())
async def test_it_does_what_it_says(
    run: Run, models: ModelServer, project: Path, command: str
) -> None:
    source = project / "src" / "app.py"
    source.parent.mkdir()
    source.write_text("def area(width, height):\n    return width * height\n")
    if "complete" in command:
        source.write_text("def area(width, height):\n    return \n")
    models.answer = answer
    models.default = Reply("width * height\n")
    models.models = ["quick-1", "clever-1"]
    program, *arguments = shlex.split(command, comments=True)
    assert program == "twotrack"
    ended = await run(*arguments)
    expected = {
        "complete": "width * height",
        "document": '+    """Return the area."""',
        "refactor": "+def area(width: float, height: float) -> float:",
        "ledger": "Nothing was asked since ",
        "--dry-run": "── src/app.py ──",
        "doctor": '"models"',
    }
    said = [text for word, text in expected.items() if word in command][-1]
    assert said in ended.out
    if "doctor" in command:  # it finds fault with answers that stay the same whatever it asks
        assert [model["name"] for model in ended.data["models"]] == ["quick", "clever"]
    else:
        assert ended.status == ("ledger" in command), ended.err  # here nothing was asked yet
