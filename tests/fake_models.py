"""Models for tests of the rooms above `llm`: providers that follow a script."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from twotrack.llm.api import Capabilities, Chunk, Mode, Model, Prices, Prompt, sending

HANG = object()
"""In a script: never say anything again."""


class FakeProvider:
    """Plays one script a call, the last one again and again.

    A script is a sequence of texts, chunks, errors (raised there), events (waited for), and HANG.
    """

    def __init__(self, *scripts: Sequence[object], sends: bool = True) -> None:
        self._scripts = list(scripts)
        self._sends = sends
        """Whether it comes as far as to write its request."""
        self.prompts: list[Prompt] = []
        self.warmed: list[Prompt] = []
        self.open = 0
        self.speaking = asyncio.Event()
        """Set when the script has got to HANG, or to an event."""
        self.silent = asyncio.Event()
        """Set when nobody listens any more."""

    def play(self, *scripts: Sequence[object]) -> None:
        """Play these from now on."""
        self._scripts = list(scripts)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        self.prompts.append(prompt)
        if self._sends:
            sending.get()()
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.open += 1
        self.silent.clear()
        try:
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if step is HANG or isinstance(step, asyncio.Event):
                    self.speaking.set()
                    await (step if isinstance(step, asyncio.Event) else asyncio.Event()).wait()
                    continue
                yield step if isinstance(step, Chunk) else Chunk(text=str(step))
        finally:
            self.open -= 1
            if not self.open:
                self.silent.set()

    async def warm(self, prompt: Prompt | None = None) -> None:
        if prompt is not None:
            self.warmed.append(prompt)

    async def aclose(self) -> None:
        pass


def fake_model(
    name: str,
    provider: FakeProvider,
    *,
    local: bool = False,
    retrieval: bool = False,
    infill: bool = True,
    suffix: bool = True,
    prices: Prices | None = None,
    timeout_s: float | None = None,
) -> Model:
    """A model of the settings that `provider` answers for."""
    return Model(
        name=name,
        model_id=f"{name}-id",
        wires={Mode.CHAT: provider, **({Mode.FILL: provider} if infill else {})},
        capabilities=Capabilities(local=local, retrieval=retrieval, suffix=suffix),
        prices=prices,
        timeout_s=timeout_s,
    )
