"""The demo: a real server process, a real project, and what a person at the keyboard would see.

    python demo.py               watch it
    python demo.py --svg FILE    record it as a moving picture

It uses the models that `twotrack models` shows: those of your settings or the environment, else the
embedded one. It shows only what really happened: an answer that fails its check is shown as such.
"""

import argparse
import asyncio
import difflib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client import Buffer, Client, ResponseError
from pictures import Frame, animation
from rich import box
from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.rule import Rule
from rich.segment import Segment
from rich.spinner import Spinner
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

EXAMPLE = Path(__file__).parent / "example"
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-8"]},
    "window": {"workDoneProgress": True, "showDocument": {"support": False}},
    "workspace": {
        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]},
    },
    "textDocument": {
        "inlineCompletion": {},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
        },
    },
    "experimental": {"twotrack": {"events": True}},
}

INSTRUCTION = "use sum() instead of the loop"

TYPED = [
    (
        "the code knows",
        "shop/report.py",
        "\n\ndef stock_value(items: list[Item]) -> float:\n"
        '    """Return what the stock is worth."""\n'
        "    total = 0.0\n    for item in items:\n        total += item.",
    ),
    (
        "a model goes on",
        "shop/orders.py",
        "\n\ndef paid_orders(orders: list[Order]) -> list[Order]:\n"
        '    """Return the orders that are paid."""\n    return [',
    ),
]
"""What the person types at the end of which file: a scene's name, the file, the text."""


COLUMNS, ROWS = 80, 24
KEY_S, LOOK_S, END_S = 0.05, 1.5, 8.0
"""Seconds between two keys, to look at what came, and before the picture begins anew."""


class Screen:
    """What the person sees: one scene after another, and a table of what each answer took."""

    def __init__(self, console: Console, *, quick: bool) -> None:
        self.console = console
        self.key_s = 0.0 if quick else KEY_S
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.scene = ""
        self.frames: list[Frame] = []
        """What the screen showed, for how long: the moving picture."""
        self._printed: list[tuple[Segment, ...]] = []

    def heard(self, method: str, params: Any) -> None:
        """Take down what the server says of an answer."""
        if method == "twotrack/didAnswer" and self.scene:
            self.answers.append((self.scene, params))

    def title(self, text: str) -> None:
        self.scene = text
        self.print(Rule(f"[bold]{text}", align="left"))

    def print(self, what: RenderableType, seconds: float = 0.0) -> None:
        """Show something below the rest."""
        self.console.print(what)
        self._printed += self._lines(what)
        self.look(seconds)

    def look(self, seconds: float, below: RenderableType | None = None) -> None:
        """Keep what is on the screen for the picture, with what does not stay below it."""
        if seconds:
            lines = [*self._printed, *(self._lines(below) if below is not None else [])]
            self.frames.append(Frame(lines[-ROWS:], seconds))

    def _lines(self, what: RenderableType) -> list[tuple[Segment, ...]]:
        return [tuple(line) for line in self.console.render_lines(what, pad=False)]

    def code(self, buffer: Buffer, end: int, ghost: str = "") -> Panel:
        """Show the lines up to the cursor, and ghost text in grey."""
        before = buffer.text[:end].split("\n")[-8:]
        text = Syntax("", "python").highlight("\n".join(before)).copy()
        text.right_crop(1)
        text.append(ghost, style="italic bright_black")
        text.append("▏", style="bold cyan")
        return Panel(text, title=Path(buffer.uri).name, title_align="left", border_style="cyan")

    def keep(self, what: RenderableType) -> None:
        """Let what was shown in one place stay there."""
        self._printed += self._lines(what)

    def took(self) -> None:
        """Say where the last answer came from and what it took."""
        self.print(Text(f"  ⟵ {described(self.answers[-1][1])}", style="green"), LOOK_S)

    def say(self, text: str) -> None:
        """Say what did not work out."""
        self.print(Text(f"  {text}", style="yellow"), LOOK_S)

    def summary(self) -> Table:
        """Sum up the answers, those of one scene from one source on a line."""
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for scene, answer in self.answers:
            by_model = answer["source"] in ("model", "recall")
            key = (scene, answer["track"], answer["model" if by_model else "source"])
            groups.setdefault(key, []).append(answer)
        table = Table(
            title="What every answer took",
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            padding=(0, 1, 0, 0),
        )
        for name in ("scene", "track", "from"):
            table.add_column(name, no_wrap=True)
        for name in ("n", "first / all ms", "in", "out", "USD"):
            table.add_column(name, justify="right", no_wrap=True)
        for (scene, track, source), answers in groups.items():
            table.add_row(scene, track, source, str(len(answers)), *figures(answers))
        return table


def figures(answers: list[dict[str, Any]]) -> Iterator[str]:
    """Median times; sums of tokens and money."""
    first, total = (
        statistics.median(answer[name] for answer in answers)
        for name in ("firstTokenMs", "totalMs")
    )
    yield f"{first:.1f} / {total:.1f}"
    usages = [answer["usage"] for answer in answers]
    estimated = "≈" if any(usage["estimated"] for usage in usages) else ""
    for name in ("inputTokens", "outputTokens"):
        tokens = sum(usage[name] for usage in usages)
        yield f"{estimated if name == 'outputTokens' else ''}{tokens}" if tokens else "–"
    costs = [answer["costUsd"] for answer in answers]
    known = [cost for cost in costs if cost is not None]
    yield "unknown" if len(known) < len(costs) else f"{sum(known):.6f}" if sum(known) else "free"


def described(answer: dict[str, Any]) -> str:
    took = f"{answer['totalMs']:.1f} ms"
    if answer["source"] == "model":
        took = f"first token {answer['firstTokenMs']:.0f} ms, all {answer['totalMs']:.0f} ms"
    source = "" if answer["source"] in ("model", "recall") else f", {answer['source']}"
    return f"{answer['track']} track · {answer['model']}{source} · {took}"


async def type_and_accept(screen: Screen, client: Client, buffer: Buffer, words: str) -> None:
    """Type at the end of a buffer, look at the ghost text, type into it, accept the rest."""
    asked = []
    with Live(console=screen.console, auto_refresh=False) as live:
        for char in words:
            end = len(buffer.text)
            client.change(buffer, end, end, char)
            params = client.inline_params(buffer, end + 1)
            asked.append(client.send("textDocument/inlineCompletion", params)[1])
            panel = screen.code(buffer, end + 1)
            live.update(panel, refresh=True)
            screen.look(KEY_S, panel)
            await asyncio.sleep(screen.key_s)
        await asyncio.wait(asked)
        items = (asked[-1].result() or {"items": []})["items"]
        if not items:  # while one types, nothing was likely enough
            items = await client.complete(buffer, len(buffer.text), invoked=True)
        await client.request("twotrack/status", {})  # by then the server has told of the answer
        ghost = items[0]["insertText"] if items else ""
        panel = screen.code(buffer, len(buffer.text), ghost)
        live.update(panel, refresh=True)
        screen.look(LOOK_S, panel)
        await asyncio.sleep(screen.key_s * 20)
    screen.keep(panel)
    if not screen.console.is_terminal:
        screen.console.print()  # there, what was live ends without a line end
    if not ghost:
        screen.say("no proposal: nothing was likely enough")
        return
    screen.took()
    await type_through(screen, client, buffer, ghost)


async def type_through(screen: Screen, client: Client, buffer: Buffer, ghost: str) -> None:
    """Type what is proposed, and nothing is asked again; then accept the rest."""
    rest = ghost
    for char in ghost[:4]:
        heard = len(screen.answers)
        client.change(buffer, len(buffer.text), len(buffer.text), char)
        items = await client.complete(buffer, len(buffer.text))
        rest = items[0]["insertText"] if items else ""
        if not rest:
            break
        await client.wait_for(lambda heard=heard: len(screen.answers) > heard)
    screen.print(screen.code(buffer, len(buffer.text), rest))
    screen.took()
    client.change(buffer, len(buffer.text), len(buffer.text), rest)


async def act(screen: Screen, client: Client, buffer: Buffer, word: str, at: str) -> None:
    """Choose a code action, wait for its edit, apply it, and show the difference."""
    offset = buffer.text.index(at)
    actions = await client.code_actions(buffer, offset, offset)
    action = next(found for found in actions if word in found["title"])
    before = buffer.text
    screen.print(Text(f"  ⌘ {action['title']}"), LOOK_S)
    with Live(Spinner("dots", "the model is at work …"), console=screen.console, transient=True):
        try:
            action = await client.request("codeAction/resolve", action)
        except ResponseError as error:
            screen.say(f"refused, and the file is untouched: {error.message}")
            return
    result = client.apply(action["edit"])
    if not result["applied"]:
        screen.say(f"not applied: {result['failureReason']}")
        return
    screen.print(difference(before, buffer.text))
    screen.took()


def difference(before: str, after: str) -> Panel:
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2))[2:]
    return Panel(Syntax("\n".join(lines), "diff", background_color="default"), border_style="cyan")


async def loaded(screen: Screen, client: Client) -> None:
    """Wait for the embedded model, where one is loading, and show that it is."""

    def done() -> bool:
        loading = [p for m, p in client.notifications if m == "twotrack/modelLoading"]
        return not loading or loading[-1]["done"]

    spinner = Spinner("dots", text="The model on this machine is loading …")
    with Live(spinner, console=screen.console, transient=True):
        await client.wait_for(lambda: ready(client) and done(), timeout_s=120)


async def warmed(screen: Screen, client: Client, buffers: list[Buffer]) -> None:
    """Let the model read the files before it is timed, as it does while a person reads them.

    Say which models there are, where one serves both tracks.
    """
    with Live(Spinner("dots", "The model reads ..."), console=screen.console, transient=True):
        for buffer in buffers:
            await client.complete(buffer, len(buffer.text), invoked=True)
    tasks = (await client.request("twotrack/status", {}))["tasks"]
    fast, strong = tasks["block"]["models"], tasks["refactor"]["models"]
    models = [name for name in dict.fromkeys((*fast, *strong)) if name != "recall"]
    if len(models) == 1:
        screen.say(f"One model is here, {models[0]}: it serves both tracks. With a key or Ollama")
        screen.say("the strong track gets a strong one.")
    else:
        screen.say(f"fast track: {', '.join(fast)}; strong track: {', '.join(strong)}")


def ready(client: Client) -> bool:
    return any(method == "twotrack/ready" for method, _ in client.notifications)


async def play(screen: Screen) -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "example")
        shutil.copytree(EXAMPLE, root)
        client = await Client.start(sys.executable, "-m", "twotrack")
        client.on_notification = screen.heard
        try:
            await client.initialize(root=root, capabilities=CAPABILITIES)
            files = sorted(root.glob("shop/*.py"))
            buffers = {str(p.relative_to(root)): client.open(p, "python") for p in files}
            screen.print(Text(f"twotrack serves {root.name}: {', '.join(buffers)}"), LOOK_S)
            await loaded(screen, client)
            await warmed(screen, client, [buffers[name] for _, name, _ in TYPED])
            for title, name, words in TYPED:
                screen.title(title)
                await type_and_accept(screen, client, buffers[name], words)
            report = buffers["shop/report.py"]
            screen.title("document")
            await act(screen, client, report, "Document", "average_price(items")
            screen.title("refactor")
            where = report.text.index("def add_shipping")
            client.change(report, where, where, f"# ai: {INSTRUCTION}\n")
            await act(screen, client, report, INSTRUCTION, "# ai:")
            screen.print(screen.summary())
            screen.print(
                Text("next: twotrack setup (your models), then your editor: README.md"), END_S
            )
        finally:
            status = await client.stop()
    return status


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--svg", type=Path, help="record the demo as an SVG picture")
    options = parser.parse_args()
    console = Console(width=COLUMNS)
    screen = Screen(console, quick=not console.is_terminal)
    status = asyncio.run(play(screen))
    if options.svg:
        frames = kept(screen.frames)
        options.svg.write_text(animation(frames, "make demo", columns=COLUMNS, rows=ROWS))
    return status


def kept(frames: list[Frame]) -> list[Frame]:
    """Of the frames of single keys every third one, shown as long as all three."""
    result: list[Frame] = []
    for frame in frames:
        if result and frame.seconds == KEY_S and result[-1].seconds < 3 * KEY_S:
            result[-1] = Frame(frame.lines, result[-1].seconds + KEY_S)
        else:
            result.append(frame)
    return result


if __name__ == "__main__":
    sys.exit(main())
