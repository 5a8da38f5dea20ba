"""What a request takes: tokens, counted or estimated, and USD."""

import asyncio
import re
from dataclasses import replace

from twotrack.errors import RequestRejected
from twotrack.events import Usage
from twotrack.llm import thinking
from twotrack.llm.api import Model, Prompt
from twotrack.llm.prices import cost_usd

_CHARS_PER_TOKEN = 4
_MOST_CHARS_PER_TOKEN = 6
"""No tokenizer packs code or prose so densely: 4.9 at most in 2,120 samples of 20,000 characters
(cl100k). The runs that some pack more densely are not counted."""
_RUN = re.compile(r"\s+|([^\w\s])\1+|(\w)\2{3,}")


def is_free(model: Model) -> bool:
    """Whether asking the model is known to cost nothing.

    What runs on this machine does not, unless the settings name its prices (a gateway).
    """
    if model.prices is None:
        return model.capabilities.local
    return not (model.prices.input or model.prices.output)


async def usd(model: Model, answered_model: str, usage: Usage) -> float | None:
    """Return what a request cost; None if the price is unknown."""
    if is_free(model):
        return 0.0
    # In a thread: the first look into the price table takes 100 ms.
    return await asyncio.to_thread(cost_usd, model, answered_model, usage)


def estimate(prompt: Prompt, text: str) -> Usage:
    """Tokens if the provider did not count them: four characters each."""
    chars = sum(map(len, prompt.texts))
    return Usage(
        input_tokens=-(-chars // _CHARS_PER_TOKEN),
        output_tokens=-(-len(text) // _CHARS_PER_TOKEN),
        estimated=True,
    )


def of_cut(prompt: Prompt, usage: Usage | None, text: str) -> Usage:
    """Complete what a cut stream reported (`usage`): some count the input at the start."""
    guess = estimate(prompt, text)
    if usage is None:
        return guess
    most = max(usage.output_tokens, guess.output_tokens)
    return replace(usage, output_tokens=most, estimated=True)


def most_characters(model: Model) -> int:
    """Characters, runs of the same sign aside, that fit no context window of this size."""
    return model.capabilities.context_window * _MOST_CHARS_PER_TOKEN


def most_of_answer(prompt: Prompt) -> int:
    """Characters of an answer that are read: as many as its tokens could be, and thoughts before.

    What is longer comes from a server that knows no limit, and all of it would be parsed.
    """
    return (prompt.max_tokens + thinking.ROOM) * 2 * _CHARS_PER_TOKEN


def check_fits(prompt: Prompt, model: Model) -> None:
    """Raise RequestRejected if prompt and answer cannot fit the context window at all.

    What may fit is let through: the provider counts more exactly.
    """
    can = model.capabilities
    room = can.context_window - min(prompt.max_tokens, can.max_output)
    most_chars = room * _MOST_CHARS_PER_TOKEN
    texts = prompt.texts
    if sum(map(len, texts)) <= most_chars:
        return
    if sum(len(_RUN.sub("", text)) for text in texts) > most_chars:
        raise RequestRejected(
            model.name,
            f"the prompt does not fit its context window of {can.context_window} tokens; "
            f"set models.{model.name}.context_window or use another model.",
        )
