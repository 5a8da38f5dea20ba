"""A model server as cheap as can be, so that the time of its clients is what is measured.

Every answer is prebuilt and written at once, one HTTP chunk an event. The path says which:
``/one/...`` streams an answer of one event, ``/many/...`` one of 42, ``/whole/...`` does not
stream; the path's end says the dialect. Prints its port.
"""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

EVENTS = 42
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WORDS = [f"value_{number} = area(width, {number})\n" for number in range(EVENTS - 1)]


def _chat(words: Sequence[str]) -> list[Any]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    usage = {"prompt_tokens": 2500, "completion_tokens": len(words), "total_tokens": 2541}

    def choice(delta: dict[str, str], finish: str | None = None) -> list[Any]:
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]

    if len(words) == 1:
        return [{**base, "choices": choice({"content": words[0]}, "stop"), "usage": usage}]
    events = [{**base, "choices": choice({"content": word})} for word in words]
    return [*events, {**base, "choices": choice({}, "stop"), "usage": usage}]


def _anthropic(words: Sequence[str]) -> list[Any]:
    usage = {"input_tokens": 2500, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    texts = [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": word},
        }
        for word in words[:-4]
    ]
    return [
        {"type": "message_start", "message": {**message, "usage": usage}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        *texts,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": len(words)},
        },
        {"type": "message_stop"},
    ]


def _gemini(words: Sequence[str]) -> list[Any]:
    usage = {"promptTokenCount": 2500, "candidatesTokenCount": len(words), "totalTokenCount": 2541}

    def event(text: str, **more: str) -> dict[str, Any]:
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}

    return [*(event(word) for word in words), event("", finishReason="STOP")]


def _ollama(words: Sequence[str]) -> list[Any]:
    base = {"model": "m", "created_at": "2026-11-21T08:00:00.000000Z"}
    counts = {"prompt_eval_count": 2500, "eval_count": len(words)}

    def message(text: str) -> dict[str, str]:
        return {"role": "assistant", "content": text}

    return [
        *({**base, "message": message(word), "done": False} for word in words),
        {**base, "message": message(""), "done": True, "done_reason": "stop", **counts},
    ]


def _plain(event: Any) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _named(event: Any) -> bytes:
    return b"event: %s\n%s" % (event["type"].encode(), _plain(event))


def _line(event: Any) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _streamed(events: Sequence[bytes], kind: bytes = b"text/event-stream") -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in (*events, b""))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head % kind + chunks


def _whole() -> bytes:
    event = _chat(_WORDS[:1])[0]
    message = {"role": "assistant", "content": _WORDS[0]}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    body = json.dumps({**event, "object": "chat.completion", "choices": choices}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def _answers() -> dict[tuple[bytes, bytes], bytes]:
    end = [b"data: [DONE]\n\n"]
    dialects: dict[bytes, tuple[Callable[..., list[Any]], Callable[[Any], bytes], list[bytes]]] = {
        b"completions": (_chat, _plain, end),
        b"messages": (_anthropic, _named, []),
        b"sse": (_gemini, _plain, []),
        b"chat": (_ollama, _line, []),
    }
    many = {
        (b"many", path): _streamed([framed(event) for event in events(_WORDS)] + last)
        for path, (events, framed, last) in dialects.items()
    }
    one = _streamed([_plain(_chat(_WORDS[:1])[0]), *end])
    return {**many, (b"one", b"completions"): one, (b"whole", b"completions"): _whole()}


class Upstream(asyncio.Protocol):
    """One connection, kept alive."""

    answers = _answers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end]
            length = _LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.received) < size:
                return
            self.received = self.received[size:]
            path = head.split(b" ", 2)[1]
            which = path.split(b"/", 2)[1], re.split(rb"[/=]", path)[-1]
            missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            self.transport.write(self.answers.get(which, missing))


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
