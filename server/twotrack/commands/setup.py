"""`twotrack setup`: choose models among those that are here, and write the settings."""

import asyncio
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from twotrack import files as disk
from twotrack.commands import terminal
from twotrack.errors import TwotrackError
from twotrack.llm import discovery, local_models, registry
from twotrack.llm.embedded import NAME as EMBEDDED
from twotrack.llm.embedded_file import available
from twotrack.llm.presets import PRESETS
from twotrack.llm.prices import per_million
from twotrack.session import Session
from twotrack.settings.files import USER_FILE_BYTES, user_path
from twotrack.settings.schema import ModelSettings
from twotrack.tasks import Track

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_MOST_DIGITS = 9
_TITLES = {Track.FAST: "Completions", Track.STRONG: "Edits and explanations"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A model that can be chosen."""

    name: str
    """Its name in the settings."""
    text: str
    """What a person is told of it."""
    entry: ModelSettings | None = None
    """None: it comes with the package."""


def run(environment: Mapping[str, str], *, yes: bool) -> int:
    """Ask what to use, show the settings, and write them if the person agrees.

    `yes`: the first choice of each is taken, and nothing asked. Raises TwotrackError if there
    is nothing to choose, or the settings name models already: they are not changed.
    """
    path = user_path(environment)
    before = _present(path)
    choices = asyncio.run(_choices(environment))
    chosen = {track: _ask(track, some, yes=yes) for track, some in choices.items()}
    terminal.show(_larger())
    text = settings_text(chosen)
    terminal.show(f"\n{path}:\n\n{_indented(text)}\n")
    if not yes and terminal.ask("Write it? [Y/n] ").lower() not in ("", "y", "yes"):
        terminal.say("nothing was written.")
        return 1
    _write(path, f"{before.rstrip()}\n\n{text}" if before.strip() else text)
    terminal.say("written. `twotrack doctor` tries the models.")
    return 0


def _present(path: Path) -> str:
    """Return the settings that there are. Raises TwotrackError if they name models or routes."""
    try:
        text = disk.read(path, USER_FILE_BYTES).decode()
        tree = tomllib.loads(text)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as error:
        raise TwotrackError(f"{path} cannot be read: {error}. Mend it first.") from None
    if named := [key for key in ("models", "routes") if key in tree]:
        raise TwotrackError(
            f"{path} has [{named[0]}] already, so nothing was changed. "
            "`twotrack models` shows what is used; rename the file to begin anew."
        )
    return text


async def _choices(environment: Mapping[str, str]) -> Mapping[Track, Sequence[Choice]]:
    """Find what can be used: keys, servers on this machine, the model that comes along.

    Raises TwotrackError if there is nothing.
    """
    session = Session(environment, lambda _: None)
    try:
        session.begin([], [])
        terminal.progress("looking for keys and servers")
        loopback = await discovery.from_loopback(session.transport)
        found = discovery.from_environment(environment) | loopback
        missing = available(session.loaded.settings.embedded)
        if missing and not found.models:
            raise TwotrackError(
                "There is no model to choose. Set a provider's key, such as OPENAI_API_KEY, or "
                f"start a server, such as Ollama. The embedded one: {missing}"
            )
        own = [] if missing else [Choice(EMBEDDED, "the small model that comes along (free)")]
        return {
            track: [
                *(
                    _choice(session, name, found.models[name])
                    for name in found.routes.get(track, ())
                ),
                *own,
            ]
            for track in (Track.FAST, Track.STRONG)
        }
    finally:
        await session.aclose()


def _choice(session: Session, name: str, entry: ModelSettings) -> Choice:
    model = registry.build(name, entry, environment={}, transport=session.transport)
    price = per_million(model)
    preset = PRESETS[entry.provider]
    if model.capabilities.local:
        cost = "on this machine, free"
    else:
        usd = f"${price[0]:g}/${price[1]:g} per million tokens" if price else "price unknown"
        cost = f"{preset.api_key_env}, {usd}"
    return Choice(name, f"{preset.title}: {entry.model} ({cost})", entry)


def _ask(track: Track, choices: Sequence[Choice], *, yes: bool) -> Choice:
    lines = [f"  {n}  {choice.text}" for n, choice in enumerate(choices, 1)]
    terminal.show("\n".join([f"{_TITLES[track]}:", *lines, ""]))
    while not yes:
        answer = terminal.ask("Which? [1] ").strip() or "1"
        number = int(answer) if answer.isdecimal() and len(answer) <= _MOST_DIGITS else 0
        if 1 <= number <= len(choices):
            return choices[number - 1]
        terminal.say(f"{answer!r} is no number from 1 to {len(choices)}.")
    return choices[0]


def _larger() -> str:
    rows = [f"  {model.text()}" for model in local_models.LARGER]
    return "\n".join(["\nLarger models for this machine, which fill gaps:", *rows, ""])


def settings_text(chosen: Mapping[Track, Choice]) -> str:
    """Return the TOML that uses these; each track falls back to what comes with the package."""
    lines: list[str] = []
    entries = {choice.name: choice.entry for choice in chosen.values() if choice.entry}
    for name, entry in entries.items():
        lines += [f"[models.{_key(name)}]", f"provider = {_string(entry.provider)}"]
        lines.append(f"model = {_string(entry.model)}")
        if entry.base_url:
            lines.append(f"base_url = {_string(entry.base_url)}")
        lines.append("")
    lines.append("[routes]")
    for track, choice in chosen.items():
        last = ["recall", EMBEDDED] if track is Track.FAST else [EMBEDDED]
        names = [choice.name, *last] if choice.entry else last
        lines.append(f"{track} = [{', '.join(map(_string, names))}]")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    # A basic string of TOML, which knows no surrogates, and no U+007F as it is.
    written = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return written.replace("\x7f", "\\u007f")


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


def _write(path: Path, text: str) -> None:
    try:
        disk.prepare(path)
        disk.replace(path, text.encode())
    except OSError as error:
        raise TwotrackError(f"{path} cannot be written: {error.strerror}.") from None
