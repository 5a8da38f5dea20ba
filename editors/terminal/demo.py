"""The demo: a real server process, a real project, and what a person at the keyboard would see.

    python demo.py               watch it
    python demo.py --svg FILE    record it as a picture

It uses the models that `twotrack models` shows: those of your settings or the environment, else the
embedded one. It shows only what really happened: an answer that fails its check is shown as such.
"""

import argparse
import asyncio
import difflib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from client import Buffer, Client, ResponseError
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

TYPED = [
    (
        "shop/report.py",
        "\n\ndef stock_value(items: list[Item]) -> float:\n"
        '    """Return what the stock is worth."""\n'
        "    total = 0.0\n    for item in items:\n        total += item.",
        "The code itself knows how this goes on",
    ),
    (
        "shop/orders.py",
        "\n\ndef count_items(order: Order) -> int:\n"
        '    """Return the number of items of the order."""\n    return ',
        "A new function: a model continues it",
    ),
]


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

    def took(self) -> Text:
        """Say where the last answer came from and what it took."""
        if not self.answers:
            return Text("nothing was proposed", style="yellow")
        return Text(f"  ⟵ {described(self.answers[-1][1])}", style="green")

    def summary(self) -> Table:
        table = Table(title="What every answer took", title_justify="left", header_style="bold")
        for name in ("scene", "task", "track", "from", "model"):
            table.add_column(name)
        for name in ("first token ms", "total ms", "tokens in", "cached", "out", "USD"):
            table.add_column(name, justify="right")
        for scene, answer in self.answers:
            usage, cost = answer["usage"], answer["cost_usd"]
            asked = answer["source"] == "model"
            table.add_row(
                scene,
                answer["task"],
                answer["track"],
                answer["source"],
                answer["model"],
                f"{answer['first_token_ms']:.1f}",
                f"{answer['total_ms']:.1f}",
                str(usage["input_tokens"]) if asked else "–",
                str(usage["cached_tokens"]) if asked else "–",
                ("≈" if usage["estimated"] else "") + str(usage["output_tokens"]) if asked else "–",
                "unknown" if cost is None else f"{cost:.6f}" if cost else "free",
            )
        return table


def described(answer: dict[str, Any]) -> str:
    source = "" if answer["source"] in ("model", "recall") else f", {answer['source']}"
    return f"{answer['track']} track · {answer['model']}{source} · {answer['total_ms']:.1f} ms"


async def type_and_accept(screen: Screen, client: Client, buffer: Buffer, words: str) -> None:
    """Type at the end of a buffer, look at the ghost text, type through it, accept it."""
    with Live(console=screen.console, auto_refresh=False) as live:
        for char in words:
            end = len(buffer.text)
            client.change(buffer, end, end, char)
            client.send("textDocument/inlineCompletion", client.inline_params(buffer, end + 1))
            live.update(screen.code(buffer, end + 1), refresh=True)
            await asyncio.sleep(screen.key_s)
        before = len(screen.answers)
        items = await client.complete(buffer, len(buffer.text), invoked=True)
        ghost = items[0]["insertText"] if items else ""
        live.update(screen.code(buffer, len(buffer.text), ghost), refresh=True)
        await asyncio.sleep(screen.key_s * 20)
    if not ghost:
        screen.console.print(Text("  no proposal: no model was sure enough", style="yellow"))
        return
    await client.wait_for(lambda: len(screen.answers) > before)
    screen.console.print(screen.took())
    await type_through(screen, client, buffer, ghost)


async def type_through(screen: Screen, client: Client, buffer: Buffer, ghost: str) -> None:
    """Type what is proposed: nothing may be asked again; then accept the rest."""
    scene, screen.scene = screen.scene, f"… typed through {ghost[:3].strip()!r}"
    rest = ghost
    for char in ghost[:3]:
        client.change(buffer, len(buffer.text), len(buffer.text), char)
        items = await client.complete(buffer, len(buffer.text))
        rest = items[0]["insertText"] if items else ""
    screen.console.print(screen.code(buffer, len(buffer.text), rest))
    screen.console.print(screen.took())
    client.change(buffer, len(buffer.text), len(buffer.text), rest)
    screen.scene = scene


async def act(screen: Screen, client: Client, buffer: Buffer, word: str, at: str) -> None:
    """Choose a code action, wait for its edit, apply it, and show the difference."""
    offset = buffer.text.index(at)
    actions = await client.code_actions(buffer, offset, offset)
    action = next(found for found in actions if word in found["title"])
    screen.title(action["title"])
    before = buffer.text
    waiting = Spinner("dots", text=f"{action['title']} …")
    with Live(waiting, console=screen.console, transient=True):
        try:
            action = await client.request("codeAction/resolve", action)
        except ResponseError as error:
            screen.console.print(
                Text(f"  refused, the file is untouched: {error.message}", style="yellow")
            )
            return
    result = client.apply(action["edit"])
    if not result["applied"]:
        screen.console.print(Text(f"  not applied: {result}", style="red"))
        return
    screen.console.print(difference(before, buffer.text))
    screen.console.print(screen.took())


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
            for name, words, title in TYPED:
                screen.title(title)
                await type_and_accept(screen, client, buffers[name], words)
            report = buffers["shop/report.py"]
            await act(screen, client, report, "Document", "average_price(items")
            where = report.text.index("def is_even")
            client.change(report, where, where, "# ai: return the comparison directly\n")
            await act(screen, client, report, "return the comparison", "# ai:")
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
    console = Console(record=options.svg is not None, width=110)
    status = asyncio.run(play(console, quick=not console.is_terminal))
    if options.svg:
        options.svg.write_text(console.export_svg(title="make demo"))
    return status


if __name__ == "__main__":
    sys.exit(main())
