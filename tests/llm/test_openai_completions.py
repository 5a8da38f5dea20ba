"""Fill-in-the-middle over the completions API."""

from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fakes.model_server import ModelServer, Reply
from twotrack.events import Usage
from twotrack.llm import openai_wire
from twotrack.llm.api import Chunk, Excerpt, Infill, Prompt
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire

PROMPT = Infill(
    "def add(a, b):\n    ",
    "\n\nprint(add(1, 2))\n",
    "calc.py",
    "python",
    excerpts=(Excerpt("lib.py", "X = 1\n"),),
    stop=("\n\n",),
    max_tokens=32,
)


def model(
    server: ModelServer,
    transport: Transport,
    template: str,
    path: str = "completions",
    **options: Any,
) -> HttpWire[Infill]:
    dialect = OpenAICompletions(Spec("coder", **options), template=template, path=path)
    return HttpWire(transport, Endpoint("mine", server.base_url), dialect)


async def answer(provider: HttpWire[Infill], prompt: Prompt = PROMPT) -> list[Chunk]:
    async with aclosing(provider.stream(prompt)) as chunks:
        return [chunk async for chunk in chunks]


async def test_raw_tokens(server: ModelServer, transport: Transport) -> None:
    server.script(Reply("return a", prompt_tokens=30, cached_tokens=20))
    assert await answer(model(server, transport, template="qwen")) == [
        Chunk("return ", model="coder"),
        Chunk("a"),
        Chunk(finish="stop"),
        Chunk(usage=Usage(input_tokens=30, cached_tokens=20, output_tokens=2)),
    ]
    request = server.requests[0]
    assert request.path == "/v1/completions"
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "coder",
        "prompt": "<|repo_name|>project\n<|file_sep|>lib.py\nX = 1\n<|file_sep|>calc.py\n"
        "<|fim_prefix|>def add(a, b):\n    <|fim_suffix|>\n\nprint(add(1, 2))\n<|fim_middle|>",
        "max_tokens": 32,
        "temperature": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["\n\n", "<|endoftext|>", "<|file_sep|>", "<|fim_prefix|>"],
    }


async def test_prompt_and_suffix(server: ModelServer, transport: Transport) -> None:
    await answer(model(server, transport, template="suffix", refused=("stream_options",)))
    assert server.requests[0].body == {
        "model": "coder",
        "prompt": "# Path: lib.py\n# X = 1\n\ndef add(a, b):\n    ",
        "suffix": "\n\nprint(add(1, 2))\n",
        "max_tokens": 32,
        "temperature": 0.1,
        "stream": True,
        "stop": ["\n\n"],
    }


async def test_what_is_not_given_is_not_sent(server: ModelServer, transport: Transport) -> None:
    await answer(model(server, transport, template="qwen", temperature=None, max_output=8))
    body = server.requests[0].body
    assert not {"temperature", "prompt_cache_key"} & body.keys()
    assert body["max_tokens"] == 8


async def test_the_key_of_the_cache_stands_for_a_file(
    server: ModelServer, transport: Transport
) -> None:
    provider = model(server, transport, template="suffix", keyed=True)
    for prompt in (PROMPT, replace(PROMPT, prefix="x"), replace(PROMPT, path="other.py")):
        await answer(provider, prompt)
    first, same, other = (request.body["prompt_cache_key"] for request in server.requests)
    assert first == same != other
    assert "calc" not in first


async def test_mistral_answers_in_the_shape_of_a_chat(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("return a"))
    chunks = await answer(model(server, transport, template="suffix", path="fim/completions"))
    assert server.requests[0].path == "/v1/fim/completions"
    assert "".join(chunk.text for chunk in chunks) == "return a"


async def test_a_special_token_that_leaks_is_cut(server: ModelServer, transport: Transport) -> None:
    server.script(Reply(chunks=("return a<|fim_", "middle|>", "junk")))
    chunks = await answer(model(server, transport, template="qwen"))
    assert "".join(chunk.text for chunk in chunks) == "return a"
    assert chunks[-1].finish == "stop"


async def test_log_probabilities_are_asked_for_where_they_are_wanted_and_known(
    server: ModelServer, transport: Transport
) -> None:
    server.script(Reply("return a", logprobs=(-0.25, -1.5)))
    wanted = replace(PROMPT, logprobs=True)
    vllm = model(server, transport, template="qwen", logprobs=openai_wire.LOGPROBS)
    assert [chunk.logprobs for chunk in await answer(vllm, wanted)] == [(-0.25,), (-1.5,), (), ()]
    assert all(not chunk.logprobs for chunk in await answer(vllm))
    await answer(model(server, transport, template="qwen"), wanted)
    assert [request.body.get("logprobs") for request in server.requests] == [1, None, None]


async def test_a_server_that_refuses_log_probabilities_is_not_asked_for_them_again(
    server: ModelServer, transport: Transport
) -> None:
    refusal = {"error": {"message": "logprobs is not supported for this model."}}
    server.script(Reply(status=400, error=refusal), Reply("1"), Reply("1"))
    vllm = model(server, transport, template="qwen", logprobs=openai_wire.LOGPROBS)
    for _ in range(2):
        assert "".join(c.text for c in await answer(vllm, replace(PROMPT, logprobs=True))) == "1"
    assert ["logprobs" in request.body for request in server.requests] == [True, False, False]
