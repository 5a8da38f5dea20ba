"""The command line: serve an editor, or say what would serve it."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack import __version__, log
from twotrack.settings.schema import LogSettings

if TYPE_CHECKING:
    from twotrack import events
    from twotrack.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; give its exit status."""
    options = _parser().parse_args(arguments)
    log.configure(LogSettings())
    if options.command == "models":
        return _models()
    return _serve(options.tcp)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twotrack",
        description="A language server for AI completions and code actions with your own models. "
        "Without a command it serves an editor on standard input and output.",
    )
    parser.add_argument("--version", action="version", version=f"twotrack {__version__}")
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", type=_address, help="serve one editor on a TCP port instead"
    )
    parser.add_argument(  # editors of other servers pass it; it is what happens anyway
        "--stdio", action="store_true", help="serve standard input and output (the default)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("models", help="show the models, what each task uses, and why")
    return parser


def _address(value: str) -> tuple[str, int]:
    host, separator, port = value.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is not HOST:PORT, such as 127.0.0.1:9257")
    return host.strip("[]") or "127.0.0.1", int(port)


def _serve(tcp: tuple[str, int] | None) -> int:
    # While modules are made, the collector finds nothing and walks them again and again; what they
    # leave stays for good, so it is not walked later either.
    gc.disable()
    from twotrack.lsp.server import Server  # noqa: PLC0415  # lazily: `models` needs no LSP

    gc.freeze()
    gc.enable()

    def make_session(listener: "events.Listener") -> "Session":
        # lazily: initialize is answered before the engine is imported
        from twotrack.session import Session  # noqa: PLC0415

        return Session(os.environ, listener)

    if tcp is None and sys.stdin.isatty():
        print(  # noqa: T201 - for a person who started it by hand
            "twotrack waits for an editor on standard input; Ctrl-C ends it, --help says more.",
            file=sys.stderr,
        )
    server = Server(make_session)
    try:
        return server.serve_tcp(*tcp) if tcp else server.serve_stdio()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if tcp is None:
            raise
        print(f"twotrack: cannot listen on {tcp[0]}:{tcp[1]} ({error})", file=sys.stderr)  # noqa: T201 - for a person
        return 1


def _models() -> int:
    from twotrack.session import survey  # noqa: PLC0415  # lazily: serving does not need it

    report, sound = asyncio.run(survey(os.environ, Path.cwd()))
    sys.stdout.write(report)
    return 0 if sound else 1
