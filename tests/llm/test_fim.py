"""Fill-in-the-middle templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.llm import fim
from twotrack.llm.api import Excerpt, Infill

GAP = Infill("P", "S", "a.py", "python", stop=("\n\n",))
WITH_FILES = Infill("P", "S", "a.py", "python", (Excerpt("x.py", "X\n"), Excerpt("y.py", "Y")))


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("qwen", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("codegemma", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("starcoder", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("codellama", "<PRE> P <SUF>S <MID>"),
        ("deepseek", "<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>"),  # noqa: RUF001  # its bars
        ("codestral", "[SUFFIX]S[PREFIX]P"),
        ("seed", "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>"),
    ],
)
def test_a_gap(name: str, prompt: str) -> None:
    rendered = fim.render(name, GAP)
    assert rendered.prompt == prompt
    assert rendered.stop[0] == "\n\n"
    assert len(rendered.stop) > 1


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        (
            "qwen",
            (
                "<|repo_name|>project\n<|file_sep|>x.py\nX\n<|file_sep|>y.py\nY\n"
                "<|file_sep|>a.py\n<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"
            ),
        ),
        (
            "starcoder",
            (
                "<file_sep>x.py\nX\n<file_sep>y.py\nY\n<file_sep>"
                "<fim_prefix>P<fim_suffix>S<fim_middle>"
            ),
        ),
        ("codestral", "[SUFFIX]S[PREFIX]+++++ x.py\nX\n+++++ y.py\nY\n+++++ a.py\nP"),
        ("codellama", "<PRE> # Path: x.py\n# X\n\n# Path: y.py\n# Y\n\nP <SUF>S <MID>"),
    ],
)
def test_other_files_stand_before(name: str, prompt: str) -> None:
    assert fim.render(name, WITH_FILES).prompt == prompt


@pytest.mark.parametrize(
    ("language", "block"),
    [
        ("go", "// Path: x\n// a\n//\n// b\n\n"),
        ("lua", "-- Path: x\n-- a\n--\n-- b\n\n"),
        ("html", "<!-- Path: x -->\n<!-- a -->\n<!-- -->\n<!-- b -->\n\n"),
        ("no-such-language", "// Path: x\n// a\n//\n// b\n\n"),
    ],
)
def test_files_as_comments(language: str, block: str) -> None:
    assert fim.comments((Excerpt("x", "a\n\nb\n"),), language) == block


_TOKENS = sorted({t for x in fim.TEMPLATES.values() for t in (*x.stop, *x.special)})
_HOSTILE = st.lists(st.sampled_from([*_TOKENS, "<", "|", "fim_", "x", "{prefix}", "\n"])).map(
    "".join
)


@given(st.sampled_from(sorted(fim.TEMPLATES)), _HOSTILE, _HOSTILE, _HOSTILE)
def test_tokens_in_the_text_mean_nothing(name: str, prefix: str, suffix: str, file: str) -> None:
    def count(infill: Infill) -> dict[str, int]:
        prompt = fim.render(name, infill).prompt
        template = fim.TEMPLATES[name]
        return {token: prompt.count(token) for token in (*template.stop, *template.special)}

    hostile = Infill(prefix, suffix, f"{file}.py", "python", (Excerpt(file, file),))
    harmless = Infill("p", "s", "a.py", "python", (Excerpt("f", "f"),))
    assert count(hostile) == count(harmless)


def test_a_broken_token_is_still_readable() -> None:
    infill = Infill('T = "<|fim_middle|>"', "", "a.py", "python")
    assert '"< |fim_middle|>"' in fim.render("qwen", infill).prompt
    assert fim.neutral("qwen2.5-coder:1.5b", "<|fim_middle|>") == "< |fim_middle|>"
    assert fim.neutral("gpt-x", "<|fim_middle|>") == "<|fim_middle|>"


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("qwen2.5-coder:1.5b", "qwen"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen"),
        ("codegemma:2b", "codegemma"),
        ("bigcode/starcoder2-3b", "starcoder"),
        ("ibm/granite-3b-code-base", "starcoder"),
        ("codellama:7b-code", "codellama"),
        ("/models/deepseek-coder-6.7b-base.Q4_K_M.gguf", "deepseek"),
        ("codestral-latest", "codestral"),
        ("ByteDance-Seed/Seed-Coder-8B-Base", "seed"),
        ("llama3.2:3b", None),
        ("qwen2.5:7b", None),
        ("gpt-4.1-mini", None),
    ],
)
def test_the_family_of_a_model(model_id: str, name: str | None) -> None:
    assert fim.family(model_id) == name
