"""Somebody who follows the README's first screen, and reads nothing else."""

import json
import shutil
import time
from pathlib import Path

import psutil

from editors.pages import readme
from editors.real_model import EXAMPLE, HEAD
from editors.screen import PATIENCE_S, Screen, Wanted
from install.home import Home, commands
from patience import patient

LONGEST_S = patient(120)
"""From the end of the install to a completion: what the README promises."""

HEAD_LINES = HEAD.splitlines()[-2:]
BODY = "return ["
"""What is typed at the end of a real file; a model goes on with it."""
PICKED = ".paid"
"""What it must have understood."""

DEAD = "http://127.0.0.1:9"
"""A proxy that nobody is behind: there is no network."""


class Newcomer(Home):
    """A person with an empty home, a project and an editor."""

    def __init__(self, path: Path, index: Path) -> None:
        super().__init__(path, index, ("uv",))
        self.project = path / EXAMPLE.parent.name
        self.file = self.project / EXAMPLE.name
        self.steps: list[str] = []
        self._installed = 0.0

    @property
    def environment(self) -> dict[str, str]:
        """What programs see: no key, no settings, no network, and no twotrack but the own one."""
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), DEAD)
        return {**super().environment, **proxies, "NO_PROXY": "127.0.0.1,localhost"}

    def install(self) -> None:
        """Run the README's first command."""
        shutil.copytree(EXAMPLE.parent, self.project)
        self.run(self.step(commands()[0]))
        self.program()
        self._installed = time.monotonic()

    def step(self, what: str) -> str:
        """Remember a step, for the report."""
        self.steps.append(what)
        return what

    def set_up(self, editor: str) -> None:
        """Put the README's text where the README says."""
        file, text = readme(editor)
        target = self.path / file.removeprefix("~/")
        target.parent.mkdir(parents=True)
        target.write_text(text)
        self.step(f"write {file}")

    def types(self, screen: Screen) -> None:
        """Type the head of a function on an empty line; the editor indents."""
        for line in HEAD_LINES:
            screen.type(line.strip())
            screen.keys("Enter")

    def waits_for(self, screen: Screen, last: str, wanted: Wanted) -> None:
        """Type what is typed last, and that again where nothing comes, as people do."""
        screen.type(last)
        end = time.monotonic() + LONGEST_S
        while True:
            try:
                screen.wait_for(wanted, within_s=patient(5))
            except AssertionError:
                if time.monotonic() > end:
                    raise
                screen.keys("BSpace")
                screen.type(last[-1])
            else:
                return

    def saw(self, editor: str) -> str:
        """Hold that what is seen now is the embedded model's, and in time; give the report."""
        seconds = time.monotonic() - self._installed
        assert seconds < LONGEST_S
        self._wait_answered("embedded")
        # recall may have answered above; here it would have been first, and says the same again.
        file = str(self.file.relative_to(self.path))
        answer = self.complete(file, f"{HEAD}    {BODY}")
        assert (answer["source"], answer["model"]) == ("model", "embedded")
        assert PICKED in answer["text"]
        steps = f"{len(self.steps)} steps ({'; '.join(self.steps)})"
        return f"\n{editor}: {steps}, {seconds:.1f} s from the install to a completion"

    def _wait_answered(self, name: str) -> None:
        """Wait until the ledger has an answer of the model `name`, and hold that no other answered.

        Its rows are written within a second or so.
        """
        end = time.monotonic() + PATIENCE_S
        while True:
            rows = json.loads(self.run("twotrack ledger --json || true"))["rows"]
            answered = {row["model"] for row in rows if row["answered"]}
            assert answered <= {name, "recall"}, answered
            if name in answered:
                return
            assert time.monotonic() < end, f"{name} did not answer, but {answered}"

    def leave(self) -> None:
        """End the story: every program of this home has ended, and the home goes."""
        _, alive = psutil.wait_procs(processes_of(self.path), timeout=patient(10))
        shutil.rmtree(self.path)
        assert not alive, [process.cmdline() for process in alive]


def processes_of(home: Path) -> list[psutil.Process]:
    """The programs whose home is this folder."""
    return [process for process in psutil.process_iter() if _home(process) == str(home)]


def _home(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("HOME")
    except (psutil.Error, OSError):  # it has ended, or is another person's
        return None
