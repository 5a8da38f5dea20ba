"""Fill-in-the-middle: what each model family was trained on, as data.

Sources: the model cards and reports of the families (Qwen2.5-Coder technical report 2024, section
on repository-level FIM; StarCoder 2 paper, appendix; CodeGemma report; Code Llama paper;
DeepSeek-Coder README) and, for Codestral, mistral-common.
"""

import re
from dataclasses import dataclass
from functools import cache

from twotrack.languages import language_of
from twotrack.llm.api import Excerpt, Infill


@dataclass(frozen=True, slots=True)
class Template:
    """How one family writes a gap."""

    gap: str
    """With `{prefix}` and `{suffix}`."""
    stop: tuple[str, ...]
    """Ends the answer wherever it appears."""
    special: tuple[str, ...] = ()
    """More tokens with a meaning, which the user's text must not hold."""
    file: str | None = None
    """One other file, with `{path}` and `{text}`; None: as comments before the prefix."""
    head: str = ""
    """Before the first other file."""
    own: str = ""
    """After the other files: this file's own heading, with `{path}`."""
    files_in_prefix: bool = False
    """Whether other files stand inside the gap's prefix, not before the gap."""


_QWEN = Template(
    "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
    ("<|endoftext|>", "<|file_sep|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<|fim_pad|>", "<|repo_name|>", "<|im_start|>", "<|im_end|>", "<|cursor|>"),
    file="<|file_sep|>{path}\n{text}\n",
    head="<|repo_name|>project\n",
    own="<|file_sep|>{path}\n",
)

TEMPLATES: dict[str, Template] = {
    "qwen": _QWEN,
    "codegemma": Template(
        _QWEN.gap,
        ("<|file_separator|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<eos>"),
        ("<bos>", "<start_of_turn>", "<end_of_turn>"),
    ),
    "starcoder": Template(
        "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>",
        ("<|endoftext|>", "<file_sep>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
        ("<fim_pad>", "<repo_name>"),
        file="<file_sep>{path}\n{text}\n",
        own="<file_sep>",
    ),
    "codellama": Template(
        "<PRE> {prefix} <SUF>{suffix} <MID>",
        ("<EOT>", "<PRE>", "<SUF>", "<MID>", "</s>"),
    ),
    "deepseek": Template(
        # These bars are full width, as the model knows them.
        "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>",  # noqa: RUF001
        ("<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>"),  # noqa: RUF001
        ("<｜begin▁of▁sentence｜>",),  # noqa: RUF001
    ),
    "codestral": Template(
        "[SUFFIX]{suffix}[PREFIX]{prefix}",
        ("[PREFIX]", "[SUFFIX]", "</s>"),
        ("[MIDDLE]", "[INST]", "[/INST]", "<s>"),
        file="+++++ {path}\n{text}\n",
        own="+++++ {path}\n",
        files_in_prefix=True,
    ),
    "seed": Template(
        "<[fim-suffix]>{suffix}<[fim-prefix]>{prefix}<[fim-middle]>",
        ("<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>", "<[end▁of▁sentence]>"),
        ("<[begin▁of▁sentence]>",),
    ),
}

SUFFIX = "suffix"
"""The name for servers that take prefix and suffix apart and know the model's tokens."""
LLAMA_CPP = "llama.cpp"
"""The name for llama.cpp's ``/infill``, which knows the model's tokens."""
NAMES = (*TEMPLATES, SUFFIX, LLAMA_CPP)
"""What `fim` of a model may say."""

_FAMILIES: tuple[tuple[str, str], ...] = (
    (r"qwen[\d.]*-?coder|codeqwen", "qwen"),
    (r"codegemma", "codegemma"),
    (r"starcoder|stable-?code|granite.*code|refact", "starcoder"),
    (r"code-?llama", "codellama"),
    (r"deepseek-(coder|chat)", "deepseek"),
    (r"codestral", "codestral"),
    (r"seed-?coder|zeta-?2", "seed"),
)


def family(model_id: str) -> str | None:
    """Return the template of the family that `model_id` names; None for any other model."""
    # Instruct and base models of these families have both seen the tokens.
    lowered = model_id.lower()
    return next((name for pattern, name in _FAMILIES if re.search(pattern, lowered)), None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A gap in a family's words."""

    prompt: str
    stop: tuple[str, ...]


def render(name: str, infill: Infill) -> Rendered:
    """Write `infill` in template `name` (a key of TEMPLATES).

    Special tokens inside the texts are broken by a blank, so that they are text for the model too.
    """
    template = TEMPLATES[name]
    safe = _neutraliser(name)
    prefix, suffix = safe(infill.prefix), safe(infill.suffix)
    files = [(safe(e.path), safe(e.text).rstrip("\n")) for e in infill.excerpts]
    before = ""
    if files and template.file is None:
        prefix = comments(infill.excerpts, infill.language, safe) + prefix
    elif files and template.file is not None:
        before = template.head + "".join(
            template.file.format(path=path, text=text) for path, text in files
        )
        before += template.own.format(path=safe(infill.path))
        if template.files_in_prefix:
            prefix, before = before + prefix, ""
    gap = template.gap.format(prefix=prefix, suffix=suffix)
    return Rendered(before + gap, (*infill.stop, *template.stop))


class _Neutraliser:
    """Breaks the special tokens of a template."""

    def __init__(self, template: Template) -> None:
        tokens = sorted({*template.stop, *template.special}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, tokens)))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def neutral(model_id: str, text: str) -> str:
    """Return `text` for a server that puts it into the template of `model_id` itself."""
    name = family(model_id)
    return _neutraliser(name)(text) if name else text


@cache
def _neutraliser(name: str) -> _Neutraliser:
    return _Neutraliser(TEMPLATES[name])


def comments(
    excerpts: tuple[Excerpt, ...], language: str, safe: "_Neutraliser | None" = None
) -> str:
    """Write excerpts as comments, for models without a notion of files."""
    known = language_of(language, None)
    start, end = "// ", ""
    if known.line_comment:
        start = f"{known.line_comment} "
    elif known.block_comment:
        start, end = f"{known.block_comment[0]} ", f" {known.block_comment[1]}"
    block = ""
    for excerpt in excerpts:
        lines = (f"Path: {excerpt.path}", *excerpt.text.rstrip("\n").splitlines())
        block += "".join(f"{start}{line}".rstrip() + f"{end}\n" for line in lines) + "\n"
    return safe(block) if safe else block
