"""What the declaration of an action chooses from."""

from enum import Enum, StrEnum


class Input(Enum):
    """What an action is about besides a place; in this order they are offered."""

    DIAGNOSTIC = "diagnostic"
    INSTRUCTION = "instruction"
    NOTHING = "nothing"


class Kind(StrEnum):
    """LSP's `CodeActionKind`; of the same input they are offered in this order."""

    QUICK_FIX = "quickfix"
    REWRITE = "refactor.rewrite"
    REFACTOR = "refactor"


class Scope(Enum):
    """What an action may change."""

    CODE = "the document that it was chosen in"
    FILES = "other files, and new ones"
    NOTHING = "nothing"
