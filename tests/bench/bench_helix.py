"""Keys and start of the real Helix: without twotrack, with it, and while an action's model works.

    python tests/bench/bench_helix.py                every part
    python tests/bench/bench_helix.py keys start     some of them

It needs what `tests/editors/setup helix` installs. Helix runs in a pseudo-terminal of this
process. Machines are noisy, so the ratios count: all editors run at the same time, in turns.

keys: from a key that is written to Helix to the character that it draws.
start: from the start of the process to the text of the file on the screen.
"""

import asyncio
import fcntl
import os
import pty
import random
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE)]

from measure import PYTHON, SETTINGS, Model, model_server, say  # noqa: E402

CODE = """\
# ai: use sum
def total(numbers):
    result = 0
    for n in numbers:
        result += n
    return result


"""
ALONE = '[[language]]\nname = "python"\nlanguage-servers = [{servers}]\n'
SERVER = '[language-server.twotrack]\ncommand = "twotrack"\n'
WITHOUT, IDLE, BUSY = "without twotrack", "with twotrack", "while a model works"
KEYS, STARTS = 100, 20
LETTERS = "qvwyz"
PATIENCE_S = 20.0
_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[PX^_\]].*?(?:\x1b\\|\x07)|[^\[PX^_\]])", re.DOTALL
)
_DEVICE, _DEVICE_REPLY = b"\x1b[c", b"\x1b[?62c"
"""Helix waits for the terminal to say what it is."""


class Helix:
    """One Helix with one file."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        known = programs()
        master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self._master = master
        self.drawn = b""
        """What it has written since the last key."""
        self.process = subprocess.Popen(
            [known["HELIX"], "a.py"],
            cwd=home / "project",
            env={**environment, "HELIX_RUNTIME": known["HELIX_RUNTIME"], "TERM": "xterm-256color"},
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
        )

    def read(self, within_s: float) -> None:
        """Take what it writes within that time."""
        if select.select([self._master], [], [], within_s)[0]:
            got = os.read(self._master, 65536)
            if _DEVICE in got:
                os.write(self._master, _DEVICE_REPLY)
            self.drawn += got

    def press(self, keys: str, then: str, within_s: float = PATIENCE_S) -> float:
        """Write keys and wait until it draws `then`; give the milliseconds."""
        while select.select([self._master], [], [], 0)[0]:
            self.read(0)
        self.drawn = b""
        begun = time.perf_counter()
        os.write(self._master, keys.encode())
        self.wait_for(then, within_s)
        return (time.perf_counter() - begun) * 1e3

    def wait_for(self, text: str, within_s: float = PATIENCE_S) -> None:
        """Wait until it has drawn this since the last key."""
        end = time.monotonic() + within_s
        while text.encode() not in _SEQUENCE.sub(b"", self.drawn):
            if time.monotonic() > end:
                raise TimeoutError(f"Helix did not draw {text!r}: {self.drawn!r}")
            self.read(0.1)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


def programs() -> dict[str, str]:
    """Return what `tests/editors/setup` installed."""
    folder = os.environ.get("TWOTRACK_EDITORS") or Path.home() / ".cache" / "twotrack-editors"
    env = Path(folder, "env")
    if not env.exists():
        sys.exit("Helix is not installed: run tests/editors/setup helix")
    return dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)


@contextmanager
def home(model: Model, *, twotrack: bool) -> Iterator[tuple[Path, dict[str, str]]]:
    """A person's home with a project and the settings; its environment."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        at = Path(folder)
        for name in (".config/helix", ".config/twotrack", "project/.git"):
            (at / name).mkdir(parents=True)
        languages = SERVER + ALONE.replace("{servers}", '"twotrack"' if twotrack else "")
        (at / ".config" / "helix" / "languages.toml").write_text(languages)
        settings = SETTINGS.replace("{base_url}", model.base_url)
        settings = settings.replace("[routes]", '[routes]\nstrong = ["quick"]')
        (at / ".config" / "twotrack" / "config.toml").write_text(settings)
        (at / "project" / "a.py").write_text(CODE)
        yield (
            at,
            {
                "HOME": folder,
                "PATH": os.pathsep.join((str(Path(PYTHON).parent), os.environ["PATH"])),
                "LANG": "C.UTF-8",
                "NO_PROXY": "127.0.0.1",
            },
        )


@contextmanager
def editor(model: Model, *, twotrack: bool) -> Iterator[Helix]:
    """A Helix that shows the file."""
    with home(model, twotrack=twotrack) as (at, environment):
        one = Helix(at, environment)
        try:
            one.wait_for("return")
            yield one
        finally:
            one.close()


async def keys(model: Model) -> None:
    """Keys while a model works on an action."""
    await model.answer_with(delay_s=120.0)
    with ExitStack() as stack:
        editors = {
            name: stack.enter_context(editor(model, twotrack=name != WITHOUT))
            for name in (WITHOUT, IDLE, BUSY)
        }
        choose(editors[BUSY], "Edit: use sum")
        (asked,) = await model.log(n_requests=1)
        spent: dict[str, list[float]] = {name: [] for name in editors}
        for one in editors.values():
            one.press("geo", "INS")
        order = list(editors)
        for number in range(KEYS + 5):
            random.shuffle(order)
            for name in order:
                took = editors[name].press(key := LETTERS[number % len(LETTERS)], key)
                if number >= 5:
                    spent[name].append(took)
                await asyncio.sleep(random.uniform(0.02, 0.04))  # noqa: S311 - spread keys
        asked = (await model.log())[0]
        assert asked["aborted_at"] is asked["finished_at"] is None, "the model worked no more"
    for name, times in spent.items():
        goal = "goal max <= 50 ms" if name == BUSY else ""
        say(f"Helix, key to drawn, {name}", described(times), goal)
    say("  while a model works / without twotrack", over(spent[BUSY], spent[WITHOUT]))


def choose(one: Helix, title: str) -> None:
    """Choose the first code action, as soon as the server lists it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            one.press(" a", title, within_s=1.0)
            break
        except TimeoutError:
            if time.monotonic() > until:
                raise
        one.press("\x1b", "", within_s=1.0)
        one.read(0.2)  # Escape and a key at once would be another key
    one.press("\r", "")


async def start(model: Model) -> None:
    """Start-up with the server and without."""
    spent: dict[str, list[float]] = {WITHOUT: [], IDLE: []}
    for number in range(STARTS + 1):
        for name, times in spent.items():
            begun = time.perf_counter()
            with editor(model, twotrack=name == IDLE):
                if number:
                    times.append((time.perf_counter() - begun) * 1e3)
    for name, times in spent.items():
        say(f"Helix, start to the file shown, {name}", described(times))
    more = statistics.median(spent[IDLE]) - statistics.median(spent[WITHOUT])
    say("  with twotrack - without", f"{more:+.1f} ms", "goal <= 50 ms")


def described(times: Sequence[float]) -> str:
    p90 = statistics.quantiles(times, n=10)[-1]
    return f"{statistics.median(times):.1f}, p90 {p90:.1f}, max {max(times):.1f} ms"


def over(times: Sequence[float], floor: Sequence[float]) -> str:
    """Return the quotients of median and 90th percentile."""
    p50 = statistics.median(times) / statistics.median(floor)
    p90 = statistics.quantiles(times, n=10)[-1] / statistics.quantiles(floor, n=10)[-1]
    return f"{p50:.2f}, {p90:.2f}"


PARTS: dict[str, Callable[[Model], Awaitable[None]]] = {"keys": keys, "start": start}


async def main(names: list[str]) -> None:
    for name in names or list(PARTS):
        async with model_server() as model:
            await PARTS[name](model)


if __name__ == "__main__":
    os.environ["NO_PROXY"] = "127.0.0.1"
    asyncio.run(main(sys.argv[1:]))
