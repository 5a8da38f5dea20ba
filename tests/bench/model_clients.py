"""The clients that bench_llm.py compares, each in a process of its own.

    python tests/bench/model_clients.py {httpx,twotrack,openai,litellm} PORT

Reads orders, one JSON a line: {"size": "one", "dialect": "openai", "count": 100}. Each is answered
by the seconds of its calls, a JSON list. The last two run in an environment of their own: each
imports what it needs, and no more.
"""
# ruff: noqa: PLC0415

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

PROMPT = "def area(width, height):\n    return width * height\n\n" * 180
"""9 KB."""
EVENTS = {"one": 1, "whole": 1, "many": 41}
"""Pieces of text that an answer has at most."""

Ask = Callable[[str, str], Awaitable[int]]
"""Gives how many pieces of text came."""


def bare_httpx(root: str) -> Ask:
    """The floor: one client, a body, and a parser by hand that takes the dialect as it comes."""
    import httpx

    http = httpx.AsyncClient()
    headers = {"Authorization": "Bearer key"}
    ends = {
        "openai": "v1/chat/completions",
        "anthropic": "v1/messages",
        "gemini": "v1beta/models/m:streamGenerateContent?alt=sse",
        "ollama": "api/chat",
    }
    messages = [{"role": "user", "content": PROMPT}]
    body = {"model": "m", "messages": messages, "max_tokens": 64, "temperature": 0.1}

    async def ask(size: str, dialect: str) -> int:
        url = f"{root}/{size}/{ends[dialect]}"
        if size != "many":
            response = await http.post(url, json={**body, "stream": size == "one"}, headers=headers)
            text = response.content.partition(b"\n")[0].removeprefix(b"data: ")
            return len(json.loads(text)["choices"])
        events = []
        rest = b""
        async with http.stream("POST", url, json={**body, "stream": True}, headers=headers) as got:
            async for chunk in got.aiter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    data = line.removeprefix(b"data: ")
                    if data.startswith(b"{"):
                        events.append(json.loads(data))
        return len(events) - 1

    return ask


def layer(root: str, transport: Any = None) -> Ask:
    """The provider layer, as the registry builds it from settings."""
    from twotrack.llm.api import Chat, Message
    from twotrack.llm.http.transport import Transport
    from twotrack.llm.registry import build
    from twotrack.settings.schema import ModelSettings

    transport = transport or Transport()
    prompt = Chat("", (Message("user", PROMPT),), max_tokens=64)
    environment = {"ANTHROPIC_API_KEY": "key", "GEMINI_API_KEY": "key", "K": "key"}
    entries = {
        "openai": ("openai-compatible", "/v1"),
        "anthropic": ("anthropic", "/v1"),
        "gemini": ("gemini", "/v1beta"),
        "ollama": ("ollama", ""),
    }

    def model(size: str, provider: str, end: str) -> Any:
        settings = ModelSettings(
            provider=provider,
            model="m",
            base_url=f"{root}/{size}{end}",
            api_key_env="K" if provider == "openai-compatible" else None,
        )
        return build("bench", settings, environment=environment, transport=transport)

    providers = {
        (size, dialect): model(size, *entry)
        for size in EVENTS
        for dialect, entry in entries.items()
    }

    async def ask(size: str, dialect: str) -> int:
        pieces = 0
        async for chunk in providers[size, dialect].stream(prompt):
            pieces += bool(chunk.text)
        return pieces

    return ask


def openai_sdk(root: str) -> Ask:
    """The openai SDK."""
    from openai import AsyncOpenAI

    clients = {size: AsyncOpenAI(base_url=f"{root}/{size}/v1", api_key="key") for size in EVENTS}

    async def ask(size: str, dialect: str) -> int:
        create: Any = clients[size].chat.completions.create
        order = {
            "model": "m",
            "messages": [{"role": "user", "content": PROMPT}],
            "max_tokens": 64,
            "temperature": 0.1,
        }
        if size == "whole":
            return len((await create(**order)).choices)
        return await _pieces(
            await create(**order, stream=True, stream_options={"include_usage": True})
        )

    return ask


def litellm_sdk(root: str) -> Ask:
    """LiteLLM in process."""
    # Without its logs, and without its table of prices from the network.
    os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    import litellm

    litellm.telemetry = False

    async def ask(size: str, dialect: str) -> int:
        order = {
            "model": "openai/m",
            "api_base": f"{root}/{size}/v1",
            "api_key": "key",
            "messages": [{"role": "user", "content": PROMPT}],
            "max_tokens": 64,
            "temperature": 0.1,
        }
        if size == "whole":
            return len((await litellm.acompletion(**order)).choices)
        return await _pieces(
            await litellm.acompletion(**order, stream=True, stream_options={"include_usage": True})
        )

    return ask


async def _pieces(stream: Any) -> int:
    pieces = 0
    async for chunk in stream:
        pieces += bool(chunk.choices and chunk.choices[0].delta.content)
    return pieces


CLIENTS = {"httpx": bare_httpx, "twotrack": layer, "openai": openai_sdk, "litellm": litellm_sdk}


async def block(ask: Ask, order: dict[str, Any]) -> list[float]:
    """Ask so often; give the seconds of each call."""
    size, dialect = order["size"], order["dialect"]
    seconds = []
    for _ in range(order["count"]):
        begun = time.perf_counter()
        pieces = await ask(size, dialect)
        seconds.append(time.perf_counter() - begun)
        # Whoever leaves out an event is not faster. (Anthropic's have others than text around.)
        assert EVENTS[size] - 4 <= pieces <= EVENTS[size], pieces
        assert pieces
    return seconds


def main(client: str, port: str) -> None:
    ask = CLIENTS[client](f"http://127.0.0.1:{port}")
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(block(ask, json.loads(line)))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
