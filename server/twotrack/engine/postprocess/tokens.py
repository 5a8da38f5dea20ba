"""The special tokens of the models' templates, if a server leaves them in an answer."""

import re
from itertools import islice

from twotrack.engine.cursor_context import CursorContext
from twotrack.lexical import LexicalContext
from twotrack.llm.fim import TEMPLATES

_CHAT_TOKENS = {
    "chatml": "<|im_start|> <|im_end|> <|endoftext|>",
    "llama-2, mistral": "<s> </s> <unk> <pad> [INST] [/INST] <<SYS>> <</SYS>> [TOOL_CALLS]",
    "llama-3": "<|begin_of_text|> <|end_of_text|> <|eot_id|> <|eom_id|> <|python_tag|>",
    "gemma": "<bos> <eos> <start_of_turn> <end_of_turn> <|turn> <turn|>",
    "phi": "<|system|> <|user|> <|assistant|> <|end|>",
    "command": "<|START_OF_TURN_TOKEN|> <|END_OF_TURN_TOKEN|> <|END_RESPONSE|>",
    "gpt-oss": "<|start|> <|channel|> <|message|> <|return|> <|call|>",
    "glm": "[gMASK] <sop> <eop> <|observation|>",
    "granite": "<|start_of_role|> <|end_of_role|>",
    "kimi": "<|im_user|> <|im_middle|> [BOS] [EOS] [EOT] [PAD] [UNK]",
    "minimax": "<beginning_of_sentence> <end_of_sentence> <begin_of_document> <end_of_document>",
    "internlm": "<eoa> <eoh> <|action_start|> <|action_end|>",
    "codegen, incoder": "<|mask:0|> <|endofmask|> <mask_1> <sep> <eom>",
    "starcoder-1": "<reponame> <gh_stars> <issue_start> <issue_comment> <issue_closed> <commit_msg>"
    " <commit_before> <commit_after> <jupyter_start> <jupyter_text> <jupyter_code> <empty_output>",
    "santacoder": "<fim-prefix> <fim-suffix> <fim-middle> <fim-pad>",
}
"""Those of chat templates and older fill-in-the-middle by family; the others are in `llm.fim`."""

_EXACT = {
    token.strip()
    for template in TEMPLATES.values()
    for token in (*template.stop, *template.special)
} | {token for tokens in _CHAT_TOKENS.values() for token in tokens.split()}
_SHAPED = (
    r"<\|[\w▁|:-]{1,40}\|>|<｜[^｜\s]{1,40}｜>"  # noqa: RUF001
    r"|<\[(?:fim|end|begin)[^\]\s]{1,40}\]>|\[\|[a-z]{1,20}\|\]|<extra_id_\d{1,2}>"
)
_TOKEN_PATTERN = "|".join([_SHAPED, *map(re.escape, sorted(_EXACT, key=len, reverse=True))])
_TOKEN = re.compile(_TOKEN_PATTERN)
_FIRST = re.compile(rf"\s*(?:(?:{_TOKEN_PATTERN})(?:(?:assistant|model|final)(?!\w))?[ \t]*?)+")
_SECTION = re.compile(r"\[[^\]\n]+\]")
_VALUE = re.compile(r"[\w)\]]\Z")
_HALF = re.compile(r"<\|[a-z_]{2,20}\|?\Z")
"""A token that the longest answer has cut."""
_MOST_TOKENS = 50
_HEADING = re.compile(r"assistant|ASSISTANT|CHATBOT|start_of_turn|im_start|role|final")
"""What is in the tokens that begin a turn: a line end belongs to them, after Llama's two."""


def without_special_tokens(reply: str, gap: CursorContext) -> str:
    """Return `reply` between the tokens that it begins with and the first one after that.

    Tokens that the code itself speaks of stay: within a string, or known to the document.
    """
    first = _FIRST.match(reply)
    own = first is not None and (_is_index(first, reply, gap) or _is_struck(reply, 0, gap))
    if first is not None and not own and not _speaks_of_tokens(gap):
        reply = reply[first.end() :]
        if _HEADING.search(first[0]):
            reply = reply.removeprefix("\n")
        if "header_id" in first[0]:
            reply = reply.removeprefix("\n")
        if first[0].endswith("INST]"):
            reply = reply.removeprefix(" ")
    strings = gap.lexer.strings(gap.near + reply)
    begins = ends = 0
    # Code that speaks of so many speaks of the others too.
    for token in islice(_TOKEN.finditer(reply), _MOST_TOKENS):
        at = len(gap.near) + token.start()
        while ends <= at and (string := next(strings, None)) is not None:
            begins, ends = string
        if begins <= at < ends or _is_the_codes_own(reply, token.start(), token[0], gap):
            continue
        return reply[: token.start()].rstrip(" \t")
    half = _HALF.search(reply)
    return reply if half is None else reply[: half.start()].rstrip(" \t")


def _is_index(token: re.Match[str], reply: str, gap: CursorContext) -> bool:
    """Whether a name in brackets is an index: right behind a value, and code goes on behind it.

    A section of a configuration file is none of the models' either.
    """
    if token[0].strip()[:1] != "[" or "/" in token[0]:
        return False
    before, after = gap.prefix + reply[: token.start()], reply[token.end() :]
    if not before.strip() or before.endswith("\n"):
        alone = not after.partition("\n")[0].strip()
        return alone and any(_SECTION.fullmatch(line.strip()) for line in gap.above)
    if not _VALUE.search(before) or re.match(r"\w", after):
        return False
    return bool(after.partition("\n")[0].strip()) or not reply[: token.start()].strip()


def _is_struck(reply: str, at: int, gap: CursorContext) -> bool:
    """Whether `<s>` begins a text that is struck out, in a markup, not the whole answer."""
    lexis = gap.language.lexis
    if not (lexis.tags or lexis.prose) or not reply[at:].lstrip().startswith("<s>"):
        return False
    _, end, behind = reply[at:].partition("</s>")
    return bool(end) and bool(reply[:at].strip() or behind.strip())


def _speaks_of_tokens(gap: CursorContext) -> bool:
    around = "\n".join((*gap.above, gap.prefix, gap.suffix, *gap.below))
    return _TOKEN.search(around) is not None


def _is_the_codes_own(reply: str, at: int, token: str, gap: CursorContext) -> bool:
    if _is_struck(reply, at, gap):
        return True
    match = _TOKEN.match(reply, at)
    if match is not None and _is_index(match, reply, gap):
        return True
    at_the_end = not reply[at + len(token) :].strip()
    lexis = gap.language.lexis
    if token[0] == "[" or (token in ("</s>", "<s>") and (lexis.tags or lexis.prose)):
        word = token.strip("[]/")
        return _stands_in(f"[{word}" if token[0] == "[" else "<s>", reply[:at], gap) or (
            token[0] == "[" and token[1:2] != "/" and _stands_in(word, reply[:at], gap)
        )
    words = gap.place in (LexicalContext.COMMENT, LexicalContext.TEXT) or bool(gap.lead)
    return words and not at_the_end and _speaks_of_tokens(gap)


def _stands_in(word: str, before: str, gap: CursorContext) -> bool:
    return any(word in text for text in (before, gap.prefix, gap.suffix, *gap.above, *gap.below))
