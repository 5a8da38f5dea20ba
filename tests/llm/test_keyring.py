"""Keys in the keyring of the operating system, which the `keyring` extra brings."""

import asyncio
import sys
import threading
from collections.abc import Iterator

import pytest

from twotrack.llm.keys import Key, KeyMissing

keyring = pytest.importorskip("keyring", reason="the `keyring` extra is not installed")
pytestmark = pytest.mark.keyring


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory. What it holds under a name: the password, or an error to raise."""

    priority = 1

    def __init__(self, **passwords: str | Exception) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring is untyped there
        self.passwords = passwords
        self.asked: list[tuple[str, str]] = []
        self.unlocked = threading.Event()
        self.unlocked.set()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        self.unlocked.wait(20)
        found = self.passwords.get(username)
        if isinstance(found, Exception):
            raise found
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def ring() -> Iterator[Ring]:
    """The machine's keyring: it holds `work`."""
    before = keyring.get_keyring()
    ring = Ring(work="sk-1")
    keyring.set_keyring(ring)
    yield ring
    ring.unlocked.set()
    keyring.set_keyring(before)


async def given(key: Key) -> str | None:
    secret = await key.get()
    return secret.reveal() if secret else None


async def test_the_keyring_is_asked_once_for_the_entry_of_our_service(ring: Ring) -> None:
    key = Key(keyring="work")
    assert set(await asyncio.gather(given(key), given(key))) == {"sk-1"}
    assert await given(key) == "sk-1"
    assert ring.asked == [("twotrack", "work")]


async def test_the_environment_and_the_command_beat_the_keyring(ring: Ring) -> None:
    assert await given(Key("K", environment={"K": "sk-2"}, keyring="work")) == "sk-2"
    assert (
        await given(Key(command=(sys.executable, "-c", "print('sk-3')"), keyring="work")) == "sk-3"
    )
    assert await given(Key("K", environment={}, keyring="work")) == "sk-1"
    assert len(ring.asked) == 1


async def test_a_refused_keyring_entry_is_asked_for_again(ring: Ring) -> None:
    key = Key(keyring="work")
    await key.get()
    ring.passwords["work"] = "sk-2"
    key.forget()
    assert await given(key) == "sk-2"


async def test_a_missing_entry_says_how_to_store_it(ring: Ring) -> None:
    with pytest.raises(KeyMissing, match="`keyring set twotrack home`"):
        await Key(keyring="home").get()
    assert ring.asked == [("twotrack", "home")]


async def test_a_machine_without_a_keyring(ring: Ring) -> None:  # restores it
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    with pytest.raises(KeyMissing, match="this machine has no keyring"):
        await Key(keyring="work").get()


async def test_a_keyring_that_fails_is_not_quoted(ring: Ring) -> None:
    ring.passwords["work"] = RuntimeError("sk-1 cannot be read")
    with pytest.raises(KeyMissing, match=r"the keyring failed \(RuntimeError\)") as failure:
        await Key(keyring="work").get()
    assert "sk-1" not in repr(failure.value)


async def test_a_keyring_that_waits_for_the_person_is_not_asked_a_second_time(ring: Ring) -> None:
    ring.unlocked.clear()
    key = Key(keyring="work", timeout_s=0.3)
    with pytest.raises(KeyMissing, match=r"the keyring did not answer within 0\.3 s"):
        await key.get()
    key.forget()
    asking = asyncio.create_task(key.get())
    for _ in range(3):  # until it waits
        await asyncio.sleep(0)
    ring.unlocked.set()
    assert (await asking) is not None
    assert len(ring.asked) == 1


async def test_a_missing_key_says_when_there_may_be_one(ring: Ring) -> None:  # asked
    for key, wait in ((Key("K"), None), (Key(keyring="home"), 60.0)):
        with pytest.raises(KeyMissing) as missing:
            await key.get()
        assert missing.value.retry_after_s == wait
