"""Where keys come from."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import hypothesis
import pytest

from odd import mixed
from twotrack.llm.keys import Key, KeyMissing, Secret


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def given(key: Key) -> str | None:
    secret = await key.get()
    return secret.reveal() if secret else None


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("sk-1")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"


async def test_from_the_environment() -> None:
    assert await given(Key("K", environment={"K": " sk-1\n"})) == "sk-1"


COPIED = ['"abc"', "'abc'", "`abc`", "Bearer abc", 'bearer  "abc"', "Authorization: Bearer abc"]


@pytest.mark.parametrize("copied", [*COPIED, "\u201cabc\u201d", ' "Bearer abc" '])
async def test_what_was_copied_with_the_key_is_taken_off(copied: str) -> None:
    assert await given(Key("K", environment={"K": copied})) == "abc"
    command = script(f"print({copied!r})")
    assert await given(Key(command=command)) == "abc"


@pytest.mark.parametrize("odd", ['"abc', "Bearerabc", "a'b'c"])
async def test_any_other_key_is_sent_as_it_is(odd: str) -> None:
    assert await given(Key("K", environment={"K": odd})) == odd


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends the program alone")
@pytest.mark.skipif(sys.platform == "win32", reason="sessions of processes")
@pytest.mark.parametrize("ends", ["", "sleep 60"])
async def test_what_a_command_leaves_behind_keeps_nobody_waiting(tmp_path: Path, ends: str) -> None:
    """A session of its own, which holds the output open until the test lets it go."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    leave = f"echo sk-1; setsid sh -c 'read line < {pipe}' & {ends}"
    key = Key(command=("sh", "-c", leave), timeout_s=0.5)
    async with asyncio.timeout(5):
        if ends:
            with pytest.raises(KeyMissing, match="took over"):
                await key.get()
        else:
            assert await given(key) == "sk-1"
    await asyncio.to_thread(pipe.write_text, "end\n")


async def test_what_a_hanging_command_started_ends_with_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = asyncio.create_task(asyncio.to_thread(pipe.read_bytes))
    # Two programs hold the pipe open: the shell, and what it started.
    key = Key(command=("sh", "-c", f"exec 3>{pipe}; sleep 60; true"), timeout_s=0.5)
    with pytest.raises(KeyMissing):
        await key.get()
    assert await asyncio.wait_for(reading, 20) == b""


async def test_without_the_extra_the_keyring_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # how Python marks what is not there
    with pytest.raises(KeyMissing, match=r"install.*twotrack\[.*keyring"):
        await Key(keyring="work").get()


# -- what may be said of it --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "source"),
    [
        (Key(), ""),
        (Key("K"), "the environment variable K"),
        (Key("K", environment={"K": "sk-1"}, command=("pass",)), "the environment variable K"),
        (Key("K", command=("pass", "show", "sk-1")), "the command 'pass'"),
        (Key("K", keyring="work"), "the keyring entry 'work'"),
    ],
)
def test_where_a_key_comes_from(key: Key, source: str) -> None:
    assert key.source == source
    assert "sk-1" not in repr(key)


def test_only_a_command_or_the_keyring_may_give_another_key() -> None:
    assert Key(command=("pass",)).renewable
    assert Key("K", keyring="work").renewable
    assert not Key("K", environment={"K": "sk-1"}, keyring="work").renewable
    assert not Key("K").renewable


@hypothesis.given(mixed("'", '"', "Bearer ", "sk-abc", "\n", "\r", " ", "\0", most=12))
async def test_any_text_is_a_key_that_a_header_can_carry_or_none(value: str) -> None:
    try:
        secret = await Key("KEY", environment={"KEY": value}).get()
    except KeyMissing:
        return
    if secret is not None:
        assert secret.reveal().isascii()
        assert secret.reveal().isprintable()
        assert secret.reveal() in value
