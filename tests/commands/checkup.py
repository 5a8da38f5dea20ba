"""What the tests of `twotrack doctor` share."""

from collections.abc import Callable
from typing import Any

from commands.conftest import Run

Configure = Callable[[str], None]

KEY = "canary-key-0123456789"

ONE = """
[models.only]
provider = "openai-compatible"
base_url = "{base_url}"
model = "good-coder-7b"
fim = "qwen"
[routes]
fast = ["only"]
strong = ["only"]
[embedded]
enabled = false
"""
KEYED = ONE.replace('fim = "qwen"', 'fim = "qwen"\napi_key_env = "ONLY_API_KEY"')


def finding(model: dict[str, Any], check: str) -> tuple[str, str]:
    """Return level and sentence of the one finding about `check`."""
    (one,) = [f for f in model["findings"] if f["check"] == check]
    return one["level"], one["text"]


async def only(run: Run, *arguments: str, status: int = 0, **variables: str) -> dict[str, Any]:
    """Run the doctor; give what it says of the only model, after a look at the whole."""
    ended = await run("doctor", "--json", *arguments, **variables)
    assert ended.status == status, ended.out + ended.err
    assert ended.data["ok"] is (status == 0)
    (model,) = ended.data["models"]
    return dict(model)


async def text(run: Run, **variables: str) -> list[str]:
    """Return the lines that a person gets, with single blanks."""
    ended = await run("doctor", **variables)
    return [" ".join(line.split()) for line in ended.out.splitlines()]
