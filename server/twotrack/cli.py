"""The command line: serve an editor, or do without one."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from twotrack import __version__, log
from twotrack.errors import TwotrackError
from twotrack.settings.schema import LogSettings
from twotrack.shown import printable
from twotrack.tasks import ACTIONS

if TYPE_CHECKING:
    from twotrack import events
    from twotrack.commands.files import FilePosition, Span
    from twotrack.session import Session

logger = logging.getLogger(__name__)

_INTERRUPTED = 130
"""Exit status of a program that Ctrl-C ended, as shells count it."""
_OBJECTS_MADE = 3_000
"""Objects made between two rounds of the collector at the start: 10 ms slower than with none."""
_Parser = argparse.ArgumentParser
Command = Callable[[argparse.Namespace], int]

_SAID: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "models": (
        "show the models, what each task uses, and why",
        (
            "Show the models that were configured or found, what each task uses, and why. No\n"
            "model is asked. Exit status 1: something is wrong or missing."
        ),
        ("models",),
    ),
    "doctor": (
        "try settings, keys and models, and say what to do",
        (
            "Ask each model in use a short question or two, which costs a little, and look\n"
            "at settings, keys, servers, the ledger and the editors. Exit status 1: there is\n"
            "a problem; warnings are none."
        ),
        ("doctor", "doctor --all --timeout 60"),
    ),
    "setup": (
        "choose models among those that are here, and write the settings",
        (
            "Look for keys and model servers, ask which to use, show the settings, and write\n"
            "them if you agree. A file that names models already is not changed."
        ),
        ("setup", "setup --yes"),
    ),
    "ledger": (
        "show what was asked and what it cost",
        (
            "Add up the requests of the last 30 days by day, model, task and language. The\n"
            "record never leaves this machine. Exit status 1: there were none."
        ),
        ("ledger --since 7d", "ledger --since 2026-11-01 --csv"),
    ),
    "complete": (
        "print what completes the code at a place",
        (
            "Print the text that an editor would propose at FILE:LINE:COL, and on standard\n"
            "error where it is from. Exit status 1: there is none."
        ),
        ("complete app.py:12:5",),
    ),
    "edit": (
        "carry out a code action, as a diff or written to the file",
        (
            "Print what a code action would change as a unified diff, or write it. Exit\n"
            "status 1: nothing was changed."
        ),
        (
            "edit app.py:12 --task document",
            "edit app.py:12-20 --task refactor --instruction 'use pathlib' --write",
            "edit app.py:12 --task test | git apply",
        ),
    ),
}
"""Of each command: a line, its description and examples."""


def main(
    arguments: Sequence[str] | None = None, commands: Mapping[str, Command] | None = None
) -> int:
    """Run the program; give its exit status. `commands` come before its own of the same name."""
    options = _parser().parse_args(arguments)
    log.configure(LogSettings())
    try:
        if options.command is None:
            return _serve()
        run = {**_COMMANDS, **(commands or {})}
        return run[options.command](options)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except TwotrackError as error:
        return _failed(error.message)
    except Exception as error:
        if options.command is None or log.is_file():
            logger.exception("twotrack ends")
        return _failed(_why(error))


def _failed(why: str) -> int:
    print(f"twotrack: {printable(why)}", file=sys.stderr)  # noqa: T201 - for a person
    return 1


def _why(error: Exception) -> str:
    """Say what went wrong that nobody foresaw; the text of a defect may hold anything."""
    if isinstance(error, OSError) and error.strerror:
        try:
            Path.cwd()
        except OSError:
            return "The working folder is not there any more, or is out of reach."
        return f"The system says: {error.strerror}."
    return f"Internal error ({type(error).__name__}); the file that log.file names says where."


def _parser() -> _Parser:
    parser = _Parser(
        prog="twotrack",
        description="A language server for AI completions and code actions with your own models. "
        "Without a command it serves an editor on standard input and output.",
    )
    parser.add_argument("--version", action="version", version=f"twotrack {__version__}")
    parser.add_argument(  # editors of other servers pass it; it is what happens anyway
        "--stdio", action="store_true", help="serve standard input and output (the default)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    made = {name: _command(commands, name) for name in _SAID}
    _add_doctor(made["doctor"])
    made["complete"].add_argument(
        "place", metavar="FILE:LINE:COL", type=_place, help="line and column in characters, from 1"
    )
    _add_edit(made["edit"])
    for name in ("complete", "edit"):
        made[name].add_argument(
            "--dry-run", action="store_true", help="show what would be sent, and send nothing"
        )
    made["setup"].add_argument(
        "--yes", action="store_true", help="take the first of each, and ask nothing"
    )
    made["ledger"].add_argument(
        "--since", metavar="DAY", type=_day, default="30d", help="YYYY-MM-DD or days, such as 7d"
    )
    made["ledger"].add_argument("--csv", action="store_true", help="print comma-separated values")
    return parser


def _command(commands: "argparse._SubParsersAction[_Parser]", name: str) -> _Parser:
    summary, description, examples = _SAID[name]
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="\n  ".join(["examples:", *(f"twotrack {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if name != "setup":  # which is for a person
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _add_doctor(parser: _Parser) -> None:
    parser.add_argument("--all", action="store_true", help="also ask the models that no task uses")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=20.0,
        help="longest wait for one answer, in seconds (default: 20)",
    )


def _add_edit(parser: _Parser) -> None:
    parser.add_argument(
        "span",
        metavar="FILE:RANGE",
        type=_span,
        help="LINE (the definition around it), LINE-LINE or LINE:COL-LINE:COL; counted from 1, "
        "the last line and column included",
    )
    parser.add_argument("--task", required=True, choices=ACTIONS, help="what to do")
    parser.add_argument("--instruction", metavar="TEXT", default="", help="for refactor: how")
    parser.add_argument(
        "--diagnostic", metavar="MESSAGE", default="", help="for fix: what was reported there"
    )
    parser.add_argument(
        "--write", action="store_true", help="change the files instead of printing a diff"
    )


def _place(value: str) -> "FilePosition":
    from twotrack.commands import files  # noqa: PLC0415  # lazily, as below

    try:
        return files.place(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not FILE:LINE:COL, such as app.py:12:5"
        ) from None


def _span(value: str) -> "Span":
    from twotrack.commands import files  # noqa: PLC0415  # lazily, as below

    try:
        return files.span(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not FILE:RANGE, such as app.py:12, app.py:12-20 or app.py:12:1-20:8"
        ) from None


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of seconds from 0.1 to 600")
    return seconds


def _day(value: str) -> date:
    """Read "2026-11-01", or "7d": the last seven days, today among them."""
    today = datetime.now().astimezone().date()
    with suppress(ValueError, OverflowError):
        if value.endswith("d"):
            return today - timedelta(days=max(int(value[:-1]), 1) - 1)
        return date.fromisoformat(value)
    raise argparse.ArgumentTypeError(f"{value!r} is no day, such as {today}, and no number as 7d")


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect rarely while modules are made: what is walked mostly stays.

    Rarer rounds still take what attrs leaves of each class that it makes anew (9 MB).
    """
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_MADE)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _serve() -> int:
    if sys.stdin is None or sys.stdout is None:
        raise TwotrackError("standard input and output are closed; an editor starts twotrack")
    with _rare_collections():
        from twotrack import code_cache  # noqa: PLC0415  # lazily: the commands need no LSP

        keep_compiled = code_cache.install()
        from twotrack.lsp.server import Server  # noqa: PLC0415  # lazily, as above

        gc.freeze()

    def import_engine() -> None:
        # lazily: initialize is answered before; in a thread, for it takes 0.3 s
        with _rare_collections():
            import twotrack.session  # noqa: F401, PLC0415

            gc.freeze()
        keep_compiled()

    def make_session(listener: "events.Listener") -> "Session":
        from twotrack.session import Session  # noqa: PLC0415  # lazily, as above

        return Session(os.environ, listener, asks_for_keys=True)

    if sys.stdin.isatty():
        print(  # noqa: T201 - for a person who started it by hand
            "twotrack waits for an editor on standard input; Ctrl-C ends it, --help says more.",
            file=sys.stderr,
        )
    return Server(make_session, import_engine).serve()


# -- the commands; lazily imported: serving needs none of them --------------------------------


def _models(options: argparse.Namespace) -> int:
    from twotrack.commands import models  # noqa: PLC0415  # lazily, as said above

    return models.run(os.environ, Path.cwd(), as_json=options.json)


def _doctor(options: argparse.Namespace) -> int:
    from twotrack.commands import doctor  # noqa: PLC0415  # lazily, as said above

    return doctor.run(
        os.environ,
        Path.cwd(),
        every=options.all,
        timeout_s=options.timeout,
        as_json=options.json,
    )


def _complete(options: argparse.Namespace) -> int:
    from twotrack.commands import complete  # noqa: PLC0415  # lazily, as said above

    return complete.run(os.environ, options.place, as_json=options.json, dry_run=options.dry_run)


def _edit(options: argparse.Namespace) -> int:
    from twotrack.commands import edit  # noqa: PLC0415  # lazily, as said above

    order = edit.Order(
        options.span,
        options.task,
        options.instruction,
        options.diagnostic,
        options.write,
        options.json,
        options.dry_run,
    )
    return edit.run(os.environ, order)


def _ledger(options: argparse.Namespace) -> int:
    from twotrack.commands import ledger  # noqa: PLC0415  # lazily, as said above

    return ledger.run(options.since, "csv" if options.csv else "json" if options.json else "text")


def _setup(options: argparse.Namespace) -> int:
    from twotrack.commands import setup  # noqa: PLC0415  # lazily, as said above

    return setup.run(os.environ, yes=options.yes)


_COMMANDS: dict[str, Command] = {
    "models": _models,
    "doctor": _doctor,
    "setup": _setup,
    "ledger": _ledger,
    "complete": _complete,
    "edit": _edit,
}
