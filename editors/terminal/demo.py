"""The demo: a real server process, a real project, and what a person at the keyboard would see.

    python demo.py               watch it
    python demo.py --svg FILE    record it as a picture

It uses the models that `twotrack models` shows: those of your settings or the environment, else the
embedded one. It shows only what really happened: an answer that fails its check is shown as such.
"""

import argparse
import asyncio
import difflib
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client import Buffer, Client, ResponseError
from rich import box
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
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


class Screen:
    """What the person sees: one scene after another, and a table of what each answer took."""

    def __init__(self, console: Console, *, quick: bool) -> None:
        self.console = console
        self.key_s = 0.0 if quick else 0.05
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.scene = ""

    def heard(self, method: str, params: Any) -> None:
        """Take down what the server says of an answer."""
        if method == "twotrack/didAnswer":
            self.answers.append((self.scene, params))

    def title(self, text: str) -> None:
        self.scene = text
        self.console.rule(f"[bold]{text}", align="left")

    def code(self, buffer: Buffer, end: int, ghost: str = "") -> Panel:
        """Show the lines up to the cursor, and ghost text in grey."""
        before = buffer.text[:end].split("\n")[-8:]
        text = Syntax("", "python").highlight("\n".join(before)).copy()
        text.right_crop(1)
        text.append(ghost, style="italic bright_black")
        text.append("▏", style="bold cyan")
        return Panel(text, title=Path(buffer.uri).name, title_align="left", border_style="cyan")

    def took(self) -> None:
        """Say where the last answer came from and what it took."""
        self.console.print(Text(f"  ⟵ {described(self.answers[-1][1])}", style="green"))

    def say(self, text: str) -> None:
        """Say what did not work out."""
        self.console.print(Text(f"  {text}", style="yellow"))

    def summary(self) -> Table:
        """Sum up the answers, those of one scene from one source on a line."""
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for scene, answer in self.answers:
            key = (scene, answer["track"], answer["source"], answer["model"])
            groups.setdefault(key, []).append(answer)
        table = Table(
            title="What every answer took",
            title_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1),
        )
        for name in ("scene", "track", "from", "model"):
            table.add_column(name, no_wrap=True)
        for name in ("answers", "first / all ms", "in", "cached", "out", "USD"):
            table.add_column(name, justify="right", no_wrap=True)
        for (scene, track, source, model), answers in groups.items():
            table.add_row(scene, track, source, model, str(len(answers)), *figures(answers))
        return table


def figures(answers: list[dict[str, Any]]) -> Iterator[str]:
    """Median times; sums of tokens and money."""
    first, total = (
        statistics.median(answer[name] for answer in answers)
        for name in ("first_token_ms", "total_ms")
    )
    yield f"{first:.1f} / {total:.1f}"
    usages = [answer["usage"] for answer in answers]
    estimated = "≈" if any(usage["estimated"] for usage in usages) else ""
    for name in ("input_tokens", "cached_tokens", "output_tokens"):
        tokens = sum(usage[name] for usage in usages)
        yield f"{estimated if name == 'output_tokens' else ''}{tokens}" if tokens else "–"
    costs = [answer["cost_usd"] for answer in answers]
    known = [cost for cost in costs if cost is not None]
    yield "unknown" if len(known) < len(costs) else f"{sum(known):.6f}" if sum(known) else "free"


def described(answer: dict[str, Any]) -> str:
    source = "" if answer["source"] in ("model", "recall") else f", {answer['source']}"
    return f"{answer['track']} track · {answer['model']}{source} · {answer['total_ms']:.1f} ms"


async def type_and_accept(screen: Screen, client: Client, buffer: Buffer, words: str) -> None:
    """Type at the end of a buffer, look at the ghost text, type into it, accept the rest."""
    with Live(console=screen.console, auto_refresh=False) as live:
        for char in words:
            end = len(buffer.text)
            client.change(buffer, end, end, char)
            client.send("textDocument/inlineCompletion", client.inline_params(buffer, end + 1))
            live.update(screen.code(buffer, end + 1), refresh=True)
            await asyncio.sleep(screen.key_s)
        heard = len(screen.answers)
        items = await client.complete(buffer, len(buffer.text), invoked=True)
        ghost = items[0]["insertText"] if items else ""
        live.update(screen.code(buffer, len(buffer.text), ghost), refresh=True)
        await asyncio.sleep(screen.key_s * 20)
    if not screen.console.is_terminal:
        screen.console.print()  # there, what was live ends without a line end
    if not ghost:
        screen.say("no proposal: nothing was likely enough")
        return
    await client.wait_for(lambda: len(screen.answers) > heard)
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
    screen.console.print(screen.code(buffer, len(buffer.text), rest))
    screen.took()
    client.change(buffer, len(buffer.text), len(buffer.text), rest)


async def act(screen: Screen, client: Client, buffer: Buffer, word: str, at: str) -> None:
    """Choose a code action, wait for its edit, apply it, and show the difference."""
    offset = buffer.text.index(at)
    actions = await client.code_actions(buffer, offset, offset)
    action = next(found for found in actions if word in found["title"])
    before = buffer.text
    screen.console.print(f"  ⌘ {action['title']}")
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
    screen.console.print(difference(before, buffer.text))
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


def ready(client: Client) -> bool:
    return any(method == "twotrack/ready" for method, _ in client.notifications)


async def play(console: Console, *, quick: bool) -> int:
    screen = Screen(console, quick=quick)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "example")
        shutil.copytree(EXAMPLE, root)
        client = await Client.start(sys.executable, "-m", "twotrack")
        client.on_notification = screen.heard
        try:
            await client.initialize(root=root, capabilities=CAPABILITIES)
            files = sorted(root.glob("shop/*.py"))
            buffers = {str(p.relative_to(root)): client.open(p, "python") for p in files}
            names = ", ".join(buffers)
            console.print(f"[bold]twotrack[/] serves {root.name}: {names}")
            await loaded(screen, client)
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
            console.print(screen.summary())
        finally:
            status = await client.stop()
    return status


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--svg", type=Path, help="record the demo as an SVG picture")
    options = parser.parse_args()
    # As wide as the terminal is, up to what reads well; elsewhere (a log, the picture) that width.
    width = min(shutil.get_terminal_size().columns, 110) if sys.stdout.isatty() else 110
    console = Console(record=options.svg is not None, width=width)
    status = asyncio.run(play(console, quick=not console.is_terminal))
    if options.svg:
        # Without rich's web fonts: a picture should ask nobody for anything.
        svg = re.sub(
            r"@font-face \{.*?\}", "", console.export_svg(title="make demo"), flags=re.DOTALL
        )
        options.svg.write_text(svg)
    return status


if __name__ == "__main__":
    sys.exit(main())
