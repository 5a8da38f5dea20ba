"""The prompt of an action. Code stands in a tag, never in JSON, without line numbers."""

from dataclasses import dataclass
from itertools import count

from twotrack.context.redaction import cover
from twotrack.languages import Language
from twotrack.llm.api import Chat, Excerpt, Message, Model
from twotrack.tasks import Task

TAG = "answer"
"""The tag around what the model writes."""

_HEADROOM = 0.9
"""Share of a model's window that is filled: characters are a guess at tokens."""

_AROUND_ROLE = "It is there to be read only; do not repeat it."


@dataclass(frozen=True, slots=True)
class PromptContext:
    """What stands around the code in question. All of it redacted."""

    path: str
    language: Language
    before: str = ""
    after: str = ""
    excerpts: tuple[Excerpt, ...] = ()
    rules: str = ""
    """What the project asks of every change."""
    secrets: frozenset[str] = frozenset()
    """What was found in the code and around it; nothing of a prompt holds it."""


def free_tag(*texts: str) -> str:
    """Return a tag that none of `texts` uses: theirs would end the answer early."""
    names = (TAG if number == 1 else f"{TAG}-{number}" for number in count(1))
    return next(tag for tag in names if not any(f"<{tag}>" in t or f"</{tag}>" in t for t in texts))


def chat(
    task: Task, model: Model, system: str, around: PromptContext, *, code: str, request: str
) -> Chat | None:
    """Return the prompt with as much of what stands around as `model` has room for.

    The project's rules come first and the request last: the head stays the same. None if the model
    does not chat, or if not even the code alone leaves room for an answer of its length.
    """
    if not model.chats:
        return None
    can = model.capabilities
    most = min(task.max_tokens, can.max_output, can.context_window // 2)
    room = (can.context_window - most) * around.language.chars_per_token * _HEADROOM
    head = f"<project-rules>\n{around.rules}\n</project-rules>" if around.rules else ""
    what = f"File: {around.path} ({around.language.name})\n\n<code>\n{code}\n</code>\n\n{request}"
    window = _window(around)
    for excerpts, extras in ((around.excerpts, window), ((), window), ((), [])):
        files = [f'<file path="{e.path}">\n{e.text}\n</file>' for e in excerpts]
        stable = cover("".join(f"{part}\n\n" for part in (head, *files) if part), around.secrets)
        content = stable + cover("\n\n".join((*extras, what)), around.secrets)
        if len(system) + len(content) <= room:
            named = (around.path, *(e.path for e in excerpts), *(["project rules"] * bool(head)))
            return Chat(
                system,
                (Message("user", content, len(stable)),),
                max_tokens=most,
                sources=tuple(dict.fromkeys(named)),
            )
    return None


def _window(around: PromptContext) -> list[str]:
    parts = []
    if around.before.strip():
        parts.append(
            f"What stands before the code in its file. {_AROUND_ROLE}\n"
            f"<before>\n{around.before}\n</before>"
        )
    if around.after.strip():
        parts.append(
            f"What stands after the code in its file. {_AROUND_ROLE}\n"
            f"<after>\n{around.after}\n</after>"
        )
    return parts
