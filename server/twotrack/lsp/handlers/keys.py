"""Keys that were found: whoever would use them waits, for a while, for the person's word."""

import asyncio

from twotrack.lsp.conversation import Conversation


async def ask_for_keys(conversation: Conversation) -> None:
    """Return when the person has answered whether keys that were found may be used, or not yet.

    Whoever asks meanwhile waits for the same answer. One that comes late counts from then on.
    """
    question = conversation.key_question
    if question.asking is None or question.asking.done():
        if not conversation.session.undecided.models:
            return
        from twotrack.lsp import key_question  # noqa: PLC0415  # lazily: needs the engine

        question.asking = conversation.run_in_background(key_question.ask(conversation))
        question.waited = False
    if not question.waited:
        await asyncio.wait({question.asking}, timeout=question.longest_s)
        question.waited = not question.asking.done()
