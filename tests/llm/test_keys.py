"""Where keys come from."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from twotrack.llm.keys import Key, KeyMissing, Secret


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def given(key: Key) -> str | None:
    secret = await key.get()
    return secret and secret.reveal()


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("sk-1")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"


async def test_from_the_environment() -> None:
    assert await given(Key("K", environment={"K": " sk-1\n"})) == "sk-1"


async def test_no_key_is_needed() -> None:
    assert await given(Key()) is None
    assert await given(Key("K", optional=True)) is None


async def test_a_variable_that_is_not_set() -> None:
    with pytest.raises(KeyMissing, match="the environment variable K is not set"):
        await Key("K", environment={}).get()


async def test_the_first_line_of_a_command() -> None:
    assert await given(Key(command=script("print('sk-1\\nuser: me')"))) == "sk-1"


async def test_the_environment_beats_the_command() -> None:
    key = Key("K", environment={"K": "sk-1"}, command=("no-such-program",))
    assert await given(key) == "sk-1"


async def test_a_command_runs_once_also_for_many_at_once(tmp_path: Path) -> None:
    count = f"open({str(tmp_path / 'runs')!r}, 'a').write('x'); print('sk-1')"
    key = Key(command=script(count))
    await asyncio.gather(*(key.get() for _ in range(5)))
    await key.get()
    assert (tmp_path / "runs").read_text() == "x"


async def test_a_refused_key_is_asked_for_again() -> None:
    key = Key(command=script("import os; print(os.getpid())"))
    first = await given(key)
    assert await given(key) == first
    key.forget()
    assert await given(key) != first


async def test_cancelling_the_request_does_not_stop_the_command() -> None:
    key = Key(command=script("print('sk-1')"))
    asking = asyncio.create_task(key.get())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await given(key) == "sk-1"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("no-such-program-at-all", "sk-1"), "could not start 'no-such-program-at-all'"),
        (script("print('sk-1'); raise SystemExit(3)"), "ended with status 3"),
        (script("pass"), "gave an empty key"),
        (script("print('sk\\x001')"), "no header can carry"),
        (script("import sys; sys.stdout.write('sk-1' * 50_000)"), "printed more than a key"),
    ],
)
async def test_a_command_that_fails(
    command: tuple[str, ...], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "twotrack")
    key = Key(command=command)
    for _ in range(2):  # the second time without running it
        with pytest.raises(KeyMissing, match=problem) as failure:
            await key.get()
        assert "sk-1" not in f"{failure.value!r}{caplog.text}{key!r}"


async def test_a_command_that_hangs() -> None:
    key = Key(command=script("import time; time.sleep(60)"), timeout_s=0.05)
    with pytest.raises(KeyMissing, match=r"took over 0.05 s"):
        await key.get()
