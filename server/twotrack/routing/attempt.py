"""One model's answer to one question: streamed, timed, and what is left if it breaks off."""

import asyncio
import logging
import traceback
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from twotrack.errors import EmptyReply, MalformedReply, ModelError, TimedOut
from twotrack.events import Usage
from twotrack.llm.api import Finish, Model, Prompt, sending
from twotrack.routing import costs
from twotrack.routing.patience import Limits

logger = logging.getLogger(__name__)

_TAIL_S = 1.0
"""How long what follows the last piece (the usage, the end of the body) is waited for."""
_SIGNS = 3
"""So many chunks without text are thoughts; fewer are how an answer begins, and may then hang."""


@dataclass(slots=True)
class Reply:
    """What one model answered so far."""

    text: str = ""
    finish: Finish | None = None
    model_id: str = ""
    usage: Usage | None = None
    first_token_at: float | None = None
    longest_gap_s: float | None = None
    """Between two pieces; None: there were no two."""
    spoke_at: float = 0.0
    """When the last piece came, by the event loop's clock."""
    ended: bool = False
    """Whether the server gave the reason why it ended, and no text followed."""
    logprobs: list[tuple[int, float]] = field(default_factory=list)
    """Of each token, as far as told: where it begins in the text, and its log-probability."""

    @property
    def blank(self) -> bool:
        """Whether a person would see nothing of it."""
        return not any(char.isprintable() and not char.isspace() for char in self.text)


class _Silence:
    """Ends a stream if nothing came for too long, or at `ends`; one timer, whatever comes."""

    def __init__(self, reply: Reply, limit: asyncio.Timeout, longest_s: float, ends: float) -> None:
        self._reply = reply
        self._limit = limit
        self._longest_s = longest_s
        self._ends = ends
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._timer = self._loop.call_at(min(now + longest_s, ends), self._look)

    def _look(self) -> None:
        now = self._loop.time()
        until = min(self._reply.spoke_at + self._longest_s, self._ends)
        if now < until:
            self._timer = self._loop.call_at(until, self._look)
        else:
            self._limit.reschedule(now)

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()


@dataclass(slots=True)
class Attempt:
    """A question to one model."""

    model: Model
    prompt: Prompt = field(repr=False)
    began: float
    reply: Reply = field(default_factory=Reply)
    error: ModelError | None = None
    """Why it did not answer."""
    sent: bool = False
    """Whether the request was written, at least in part: until then it costs nothing."""

    @property
    def charged(self) -> bool:
        """Whether anything came, so that the provider wants money for it."""
        empty = isinstance(self.error, EmptyReply)
        return bool(self.reply.text) or self.reply.usage is not None or empty

    def usage(self) -> Usage:
        """Return the tokens that were counted; completed by an estimate if it broke off."""
        reply = self.reply
        if self.error is None or isinstance(self.error, EmptyReply):
            return reply.usage or costs.estimate(self.prompt, reply.text)
        return costs.of_cut(self.prompt, reply.usage, reply.text)

    def use(self, text: str) -> None:
        """Let `text`, what is whole of the answer, stand for it."""
        self.reply.usage = self.usage()
        if text:
            self.reply.text, self.reply.finish = text, "length"

    async def run(
        self, limits: Limits, enough: Callable[[Reply], bool], clock: Callable[[], float]
    ) -> None:
        """Stream the answer into `reply`. Raises ModelError: TimedOut if it stalls."""
        model, prompt, reply = self.model, self.prompt, self.reply
        costs.check_fits(prompt, model)
        token = sending.set(self._sends)
        try:
            await self._stream(limits, enough, clock)
        except TimeoutError as timeout:
            reply.usage = costs.of_cut(prompt, reply.usage, reply.text)  # it was on its way
            if not reply.ended:
                raise TimedOut(model.name, self._stalled(limits, clock())) from timeout
        except (ModelError, asyncio.CancelledError):
            raise
        except Exception as bug:
            where = "".join(traceback.format_tb(bug.__traceback__))  # without values: no code
            logger.error("asking %s raised %s\n%s", model.name, type(bug).__name__, where)
            detail = f"internal error ({type(bug).__name__}); see the log."
            raise MalformedReply(model.name, detail) from bug
        finally:
            sending.reset(token)
        if reply.blank:
            withheld = reply.finish == "filtered"
            detail = "the provider withheld the answer." if withheld else "its answer is empty."
            raise EmptyReply(model.name, detail)

    def _sends(self) -> None:
        self.sent = True

    async def _stream(
        self, limits: Limits, enough: Callable[[Reply], bool], clock: Callable[[], float]
    ) -> None:
        reply, loop = self.reply, asyncio.get_running_loop()
        began, signs, silence = loop.time(), 0, None
        ends, most = began + limits.total_s, costs.most_of_answer(self.prompt)
        limit = asyncio.timeout(limits.first_s)
        try:
            async with limit, aclosing(self.model.stream(self.prompt)) as stream:
                async for chunk in stream:
                    reply.model_id = chunk.model or reply.model_id
                    reply.usage = chunk.usage or reply.usage
                    reply.finish = chunk.finish or reply.finish
                    if not chunk.text:
                        signs += 1
                        if chunk.finish:
                            reply.ended = True
                            limit.reschedule(min(loop.time() + _TAIL_S, ends))
                        elif signs == _SIGNS and silence is None:
                            limit.reschedule(began + limits.thinking_s)
                        continue
                    now = loop.time()
                    if silence is None:
                        reply.first_token_at = clock()
                        limit.reschedule(None)
                        silence = _Silence(reply, limit, limits.gap_s, ends)
                    elif reply.longest_gap_s is None or now - reply.spoke_at > reply.longest_gap_s:
                        reply.longest_gap_s = now - reply.spoke_at
                    reply.spoke_at = now
                    if reply.ended:  # it had not
                        reply.ended = False
                        limit.reschedule(None)
                    told = chunk.logprobs[: most - len(reply.logprobs)]  # a token has a character
                    reply.logprobs += [(len(reply.text), each) for each in told]
                    reply.text += chunk.text
                    too_long = len(reply.text) > most
                    reply.text = reply.text[:most]
                    if enough(reply) or too_long:
                        reply.finish = "length" if too_long else None
                        reply.usage = costs.of_cut(self.prompt, reply.usage, reply.text)
                        break
        finally:
            if silence is not None:
                silence.close()

    def _stalled(self, limits: Limits, now: float) -> str:
        reply = self.reply
        if reply.first_token_at is None:
            return f"did not answer within {limits.first_s:.1f} s."
        if now - self.began >= limits.total_s:
            return f"did not answer within {limits.total_s:.1f} s."
        return f"stopped in the middle of its answer for {limits.gap_s:.1f} s."
