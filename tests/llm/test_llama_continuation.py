"""Raw continuation by llama.cpp, with the last word written anew."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from fakes.model_server import ModelServer, Reply
from twotrack.events import Usage
from twotrack.llm.api import Chunk, Excerpt, Infill, Prompt
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.llama_continuation import LlamaContinuation
from twotrack.llm.wire import HttpWire


async def answer(server: ModelServer, transport: Transport, prompt: Prompt) -> list[Chunk]:
    provider = HttpWire(transport, Endpoint("mine", server.url), LlamaContinuation())
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def text(server: ModelServer, transport: Transport, prompt: Prompt) -> str:
    return "".join(chunk.text for chunk in await answer(server, transport, prompt))


def infill(prefix: str, language: str = "python", stop: tuple[str, ...] = ("\n",)) -> Infill:
    return Infill(prefix, "the suffix", "m.py", language, stop=stop, max_tokens=16)


async def test_request_and_answer(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(chunks=("b", ")"), model="smol", prompt_tokens=50, cached_tokens=40))
    assert await answer(server, transport, infill("print(a + (")) == [
        Chunk("b", usage=Usage(input_tokens=50, cached_tokens=40, output_tokens=1)),
        Chunk(")", usage=Usage(input_tokens=50, cached_tokens=40, output_tokens=2)),
        Chunk(
            usage=Usage(input_tokens=50, cached_tokens=40, output_tokens=2),
            finish="stop",
            model="smol",
        ),
    ]
    assert server.requests[0].path == "/completion"
    assert server.requests[0].body == {
        "prompt": "print(a + (",
        "n_predict": 16,
        "temperature": 0.0,
        "stop": ["\n", "\n```"],
        "cache_prompt": True,
        "stream": True,
        "timings_per_token": True,
    }


@pytest.mark.parametrize(
    ("prefix", "head", "tail"),
    [
        ("def f(a):\n    retu", "def f(a):\n", "    retu"),
        ("def f(a):\n    ", "def f(a):", "\n    "),
        ("x = ", "x =", " "),
        ("def f(a):\n", "def f(a):", "\n"),
        ("größe = grö", "größe =", " grö"),
    ],
)
async def test_the_last_word_is_written_anew_and_left_out(
    server: ModelServer, transport: Transport, prefix: str, head: str, tail: str
) -> None:
    # The chunks are cut anywhere, also where the tail ends inside one.
    server.script(Reply(chunks=(tail[:-1], tail[-1] + "one", " two")))
    assert await text(server, transport, infill(prefix)) == "one two"
    body = server.requests[0].body
    assert body["prompt"] == head
    quoted = tail.replace("\n", "\\n")
    assert body["grammar"] == f'root ::= "{quoted}" [^\\x00]*'


async def test_a_stop_string_does_not_count_in_the_tail_and_does_behind_it(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(chunks=("\n   ", " return a\n", "b")))
    assert await text(server, transport, infill("def f(a):\n    ")) == "return a"
    assert server.requests[0].body["stop"] == []


@pytest.mark.parametrize("prefix", ["", "i", "import", " " * 500, "x" * 500])
async def test_a_prompt_that_is_all_tail_is_given_as_it_is(
    server: ModelServer, transport: Transport, prefix: str
) -> None:
    server.script(Reply("ok"))
    assert await text(server, transport, infill(prefix)) == "ok"
    assert server.requests[0].body["prompt"] == prefix
    assert "grammar" not in server.requests[0].body


async def test_code_ends_where_the_model_closes_a_fence(
    server: ModelServer, transport: Transport
) -> None:
    reply = Reply(chunks=("return a\n``", "`\n\nThis function"))
    server.script(reply, reply, reply)
    code = infill("def f(a): (", stop=("\n\n",))
    assert await text(server, transport, code) == "return a"
    markdown = infill("Write (", language="markdown", stop=("\n\n",))
    assert await text(server, transport, markdown) == "return a\n```"
    asked = infill("def f(a): (", stop=("```",))
    assert await text(server, transport, asked) == "return a\n"


async def test_excerpts_are_comments_and_special_tokens_are_text(
    server: ModelServer, transport: Transport
) -> None:
    prompt = Infill("s = '<|im_end|>'", "", "m.py", "python", (Excerpt("lib.py", "X = 1\n"),))
    await answer(server, transport, prompt)
    assert server.requests[0].body["prompt"] == ("# Path: lib.py\n# X = 1\n\ns = '< |im_end|>'")


async def test_warming_has_the_head_read_and_nothing_written(
    server: ModelServer, transport: Transport
) -> None:
    server.default = Reply("rn 1")
    prompt = infill("def f(a):\n    retu")
    await HttpWire(transport, Endpoint("mine", server.url), LlamaContinuation()).warm(prompt)
    await answer(server, transport, prompt)
    warming, asking = (request.body for request in server.requests)
    assert warming["prompt"] == asking["prompt"] == "def f(a):\n"
    assert (warming["n_predict"], warming["stream"]) == (0, False)
    assert "grammar" not in warming


async def test_warming_without_a_prompt_makes_a_connection(
    server: ModelServer, transport: Transport
) -> None:
    await HttpWire(transport, Endpoint("mine", server.url), LlamaContinuation()).warm()
    assert server.connections == 1
    assert not any(request.method == "POST" for request in server.requests)


async def test_what_is_written_anew_has_no_log_probability(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply(chunks=("    ", "return", " a"), logprobs=(-9.0, -8.0, -0.5)))
    begun = replace(infill("def f(a):\n    ret"), logprobs=True)
    chunks = [chunk for chunk in await answer(server, transport, begun) if chunk.text]
    assert [(chunk.text, chunk.logprobs) for chunk in chunks] == [("urn", ()), (" a", (-0.5,))]
    assert server.requests[0].body["n_probs"] == 1
