"""A gap in code that tells how a model fills gaps, and what to do where it does that badly."""

from twotrack.commands.model_check import Filling, Level
from twotrack.document import Document
from twotrack.engine.chat_infill import chat_for
from twotrack.engine.cursor_context import gap_at
from twotrack.engine.postprocess import proposal
from twotrack.llm.api import Infill, Model, Prompt
from twotrack.llm.dialects import DIALECTS
from twotrack.llm.presets import PRESETS
from twotrack.settings.schema import ModelSettings
from twotrack.text import Position, Snapshot

_NAME = "amount_due"
# The gap's name stands behind it only: who does not read that cannot know it.
_BEFORE = "def total(prices):\n    "
_AFTER = f" = 0\n    for price in prices:\n        {_NAME} += price\n    return {_NAME}\n"
_GAP = Infill(_BEFORE, _AFTER, "total.py", "python", stop=("\n",), max_tokens=32)
_DOCUMENT = Document("untitled:total.py", None, "python", 1, Snapshot(_BEFORE + _AFTER))

_WORDS: dict[Filling, tuple[Level, str]] = {
    Filling.OK: (Level.OK, "fills gaps and reads what follows them."),
    Filling.PREFIX_ONLY: (Level.OK, "continues what stands before the cursor, and no more."),
    Filling.CHAT: (Level.WARNING, "no fill-in-the-middle: completions ask it by chat."),
    Filling.IGNORES_SUFFIX: (Level.WARNING, "fills gaps without reading what follows them."),
    Filling.EMPTY: (Level.WARNING, "proposed nothing for a plain gap."),
}


def question(model: Model) -> Prompt | None:
    """Return the gap as completions ask it; None if the model cannot be asked for one."""
    if model.fills:
        return _GAP
    return chat_for(_GAP) if model.chats else None


def judged(answer: str, model: Model) -> Filling:
    """Judge what a model put into the gap."""
    place = Position(1, len(_BEFORE.rpartition("\n")[2]))
    insertion = proposal(answer, gap_at(_DOCUMENT, place), max_lines=1, chat=not model.fills)
    if insertion is None:
        return Filling.EMPTY
    if not model.fills:
        return Filling.CHAT
    if not model.capabilities.suffix:
        return Filling.PREFIX_ONLY
    return Filling.OK if _NAME in insertion.text else Filling.IGNORES_SUFFIX


def words(filling: Filling, name: str, entry: ModelSettings | None) -> tuple[Level, str]:
    """Return level and sentences, with what to do, for how the model `name` filled the gap."""
    level, text = _WORDS[filling]
    if level is Level.OK:
        return level, text
    settable = filling is Filling.CHAT or (entry is not None and entry.fim)
    return level, f"{text} {remedy(name, entry if settable else None)}"


def remedy(name: str, entry: ModelSettings | None) -> str:
    """Say what to do about a model that fills gaps badly, or not; None: no setting helps it."""
    another = "put another model first in routes.fast."
    if entry is not None and entry.fim:
        return f"Check that models.{name}.fim is the template of its family, or {another}"
    if entry is not None and DIALECTS[PRESETS[entry.provider].dialect].fills:
        setting = f"models.{name}.fim to the template of its family"
        return f"Where it knows fill-in-the-middle, set {setting}; else {another}"
    return another.capitalize()
