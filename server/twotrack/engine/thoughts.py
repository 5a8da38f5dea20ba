"""The thoughts that reasoning models write before their answer, if a server leaves them in."""

import re

_NAME = (
    r"(?:[a-z]+[:_-])?(?:think(?:ing)?|thoughts?|thought_process|reasoning|reflection|scratchpad"
    r"|analysis|monologue|cot)"
)
# In small or in large letters: <Thinking> is somebody's component, [thought] an index.
_NAMES = f"(?:{_NAME}|{_NAME.upper()})"
_OPENING = (
    rf"<{_NAMES}>|\[{_NAME.upper()}\]|◁{_NAME}▷|<\|(?:(?:start|begin)_?(?:of_)?)?{_NAMES}\|>"
    rf"|<\|(?:START|BEGIN)_?(?:OF_)?{_NAMES}\|>|<\|channel\|>(?:analysis|commentary)"
    r"|<\|channel>\w+|<unused94>"
)
_CLOSING = (
    rf"</{_NAMES}>|\[/{_NAME.upper()}\]|◁/{_NAME}▷|<\|(?:/|end_?(?:of_)?){_NAMES}\|>"
    rf"|<\|END_?(?:OF_)?{_NAMES}\|>|<\|channel\|>final[^<\n]*<\|message\|>|<channel\|>|<unused95>"
)
# Within quotes or a pattern a mark is spoken of, not made.
_MARK = re.compile(
    rf"(?P<closing>(?:^[ \t]*|(?<![\"'`*\\]))(?:{_CLOSING})(?![\\)|]|`(?!``)))"
    rf"|(?P<start>\A\s*(?:{_OPENING}))|(?P<opening>^[ \t]*(?:{_OPENING}))",
    re.MULTILINE,
)
# What is left of gpt-oss's channels if a server drops the special tokens.
_BARE_CHANNELS = re.compile(r"\Aanalysis(?=[A-Z]).*?assistantfinal", re.DOTALL)
_BLANK_LINES = re.compile(r"\A(?:[ \t]*(?:\r\n|\r|\n))+")


def without_thoughts(reply: str, document: str = "") -> str:
    """Return `reply` without its thoughts; "" if they never end.

    Everything before a lone closing mark is thought, because many templates open for the model.
    A mark that stands in `document` too belongs to the code, but at the start of the reply.
    """
    answer, at, thinking = "", 0, False
    spoken_of: dict[str, bool] = {}
    for mark in _MARK.finditer(reply):
        sign = mark[0].strip()
        if sign not in spoken_of:
            spoken_of[sign] = sign in document
        if not mark["start"] and spoken_of[sign]:
            continue
        if mark["closing"]:
            # A lone one: what came before was no answer yet.
            answer, at, thinking = answer if thinking else "", mark.end(), False
        elif not thinking:
            answer, thinking = answer + reply[at : mark.start()], True
    if thinking:
        return ""
    if not at:
        return _BARE_CHANNELS.sub("", reply)
    return _BLANK_LINES.sub("", answer + reply[at:])
