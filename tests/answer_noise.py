"""What models add to a right answer: each kind of noise as a pure function of the place.

A function gives the reply that a model with this habit would send, or None where the habit
cannot show there. The right result is that of the clean answer, or nothing for `nothing`.
"""

import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

from twotrack.languages import language_of

WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Place:
    """A cursor, and what belongs there: the document becomes `before + gold + ...`."""

    language: str
    before: str
    after: str
    gold: str
    prose: bool = False
    """Whether the cursor stands in a comment or a string."""
    closed: bool = False
    """Whether what follows on the line are closers of the editor, which the gold has, too."""

    @cached_property
    def prefix(self) -> str:
        """The cursor's line up to the cursor."""
        return self.before[self.before.rfind("\n") + 1 :]

    @cached_property
    def suffix(self) -> str:
        """The cursor's line from the cursor on."""
        return self.after.partition("\n")[0]

    @cached_property
    def indent(self) -> str:
        """The indentation of the line that the gold begins on."""
        return indent_of(self.prefix)

    @cached_property
    def fresh(self) -> bool:
        """Whether nothing but indentation stands before the cursor."""
        return not self.prefix.strip()

    @cached_property
    def several(self) -> bool:
        """Whether the gold has several lines."""
        return "\n" in self.gold.strip("\n")

    @cached_property
    def above(self) -> list[str]:
        """The lines above the cursor's."""
        return self.before.split("\n")[:-1]

    @cached_property
    def below(self) -> list[str]:
        """The lines below the cursor's."""
        return self.after.split("\n")[1:]

    @cached_property
    def whole(self) -> str:
        """The gold with what stands before it on its line."""
        return self.prefix + self.gold

    @cached_property
    def fenceable(self) -> bool:
        """Whether no fence or tag of the place itself makes a wrapped answer ambiguous."""
        near = "\n".join([*self.above[-30:], self.gold, *self.below[:30]])
        return "```" not in near and "~~~" not in near and "<insert>" not in near


Change = Callable[[Place], str | None]


@dataclass(frozen=True, slots=True)
class Noise:
    """A habit of models."""

    kind: str
    name: str
    reply: Change
    chat: bool = False
    """Whether it is a chat model that has it."""
    nothing: bool = False
    """Whether nothing is to be shown."""


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def fenced(code: str, info: str = "") -> str:
    return f"```{info}\n{code}\n```"


def tagged(code: str) -> str:
    return f"<insert>{code}</insert>"


def bare(code: str) -> str:
    return code


# -- blanks ------------------------------------------------------------------------------------


def one_blank(place: Place) -> str | None:
    takes = place.prefix.endswith((" ", "\t")) and not place.gold[:1].isspace()
    return " " + place.gold if takes else None


def blanks_of_a_token(place: Place) -> str | None:
    """The indentation less the blank that the tokenizer puts before a word."""
    spaces = len(place.prefix)
    takes = place.fresh and spaces > 1 and set(place.prefix) == {" "}
    return " " * (spaces - 1) + place.gold if takes else None


def indentation_again(place: Place) -> str | None:
    return place.whole if place.fresh and place.prefix else None


def blank_lines_first(place: Place) -> str | None:
    return "\n\n" + place.whole if place.fresh and not place.gold.startswith("\n") else None


def blanks_at_the_end(place: Place) -> str | None:
    return place.gold + "  \n\n" if not place.suffix.strip() else None


def carriage_returns(place: Place) -> str | None:
    return (place.gold + "\n").replace("\n", "\r\n") if place.several else None


# -- the margin, another width -----------------------------------------------------------------


def at_the_margin(place: Place, wrap: Callable[[str], str]) -> str | None:
    """The block from column 0."""
    lines = place.whole.split("\n")
    deep = all(line.startswith(place.indent) for line in lines if line.strip())
    if not (place.several and place.indent and deep and place.fenceable):
        return None
    if place.gold.startswith("\n"):
        return None
    return wrap(textwrap.dedent(place.whole) if place.fresh else cut_left(lines, place.indent))


def cut_left(lines: Iterable[str], indent: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in lines)


def unit_of(place: Place) -> str:
    """One level of the document's indentation; empty where it is not plain."""
    indents = {indent_of(line) for line in (*place.above, *place.below)} - {""}
    if any(set(indent) == {"\t"} for indent in indents):
        return "\t" if all(set(indent) == {"\t"} for indent in indents) else ""
    for width in (4, 2):
        if indents and all(len(i) % width == 0 and set(i) == {" "} for i in indents):
            return " " * width
    return ""


def in_another_unit(place: Place, new: str, wrap: Callable[[str], str] | None) -> str | None:
    """The block, its first line aside, in another unit; all of it where it is wrapped."""
    old = unit_of(place)
    lines = place.whole.split("\n")
    if not (place.several and place.indent and old and old != new and place.fenceable):
        return None
    levels = [len(indent_of(line)) // len(old) for line in lines]
    if any(indent_of(x) != old * n for x, n in zip(lines, levels, strict=True) if x.strip()):
        return None
    if any(after - before > 1 for before, after in pairwise(levels)):
        return None
    turned = [new * n + x.lstrip() for x, n in zip(lines, levels, strict=True)]
    if wrap is not None:
        return wrap("\n".join(turned))
    return "\n".join(turned)[len(indent_of(turned[0])) + len(place.prefix.lstrip()) :]


# -- echoes ------------------------------------------------------------------------------------


def lines_above_again(place: Place, count: int, wrap: Callable[[str], str]) -> str | None:
    above = place.above[-count:]
    if len(above) < count or not all(WORD.search(line) for line in above):
        return None
    return wrap("\n".join([*above, place.whole])) if place.fenceable else None


def function_so_far(place: Place, wrap: Callable[[str], str]) -> str | None:
    """From the line that opened the block."""
    for index in range(len(place.above) - 1, max(len(place.above) - 40, -1), -1):
        line = place.above[index]
        if WORD.search(line) and len(indent_of(line)) < len(place.indent):
            return wrap("\n".join([*place.above[index:], place.whole])) if place.fenceable else None
    return None


def file_so_far(place: Place, wrap: Callable[[str], str]) -> str | None:
    fits = place.fenceable and 1 < len(place.above) < 120
    return wrap(place.before + place.gold) if fits else None


def whole_file(place: Place, wrap: Callable[[str], str]) -> str | None:
    fits = place.fenceable and 1 < len(place.above) + len(place.below) < 120
    if not fits or place.suffix.strip():
        return None
    return wrap((place.before + place.gold.rstrip("\n") + place.after).rstrip("\n"))


# -- fences ------------------------------------------------------------------------------------


def in_a_fence(place: Place, info: Callable[[str], str], *, whole: bool) -> str | None:
    if not place.fenceable or place.gold.startswith("\n"):
        return None
    return fenced(place.whole if whole else place.gold, info(place.language))


def in_tildes(place: Place) -> str | None:
    return f"~~~\n{place.whole}\n~~~\n" if place.fenceable else None


def fence_ends_on_the_line(place: Place) -> str | None:
    return f"```{place.language}\n{place.whole}```" if place.fenceable else None


def fence_on_one_line(place: Place) -> str | None:
    fits = place.fenceable and not place.several and "`" not in place.gold
    return f"```{place.gold.strip()}```" if fits and place.fresh else None


def fence_without_end(place: Place) -> str | None:
    return f"```{place.language}\n{place.whole}" if place.fenceable else None


def in_backticks(place: Place) -> str | None:
    fits = not place.several and not place.prose and "`" not in place.whole + place.suffix
    return f"`{place.gold.strip()}`" if fits else None


def ending_of(language: str) -> str:
    endings = language_of(language, None).extensions
    return endings[0].lstrip(".") if endings else language


# -- words -------------------------------------------------------------------------------------

WORDS_BEFORE = (
    "Here is the completed code:",
    "The call should be:",
    "Answer:",
    "Sure! You can complete it like this. It keeps the style of the file:",
    "Based on the context, the gap is most likely filled as follows.",
    "Hier ist der fehlende Code:",
    "Voici le code :",
    "Aquí tienes el código:",
    "Ecco il codice mancante:",
    "Aqui está o código:",
    "Hier is de ontbrekende code:",
    "Вот недостающий код:",
    "以下是补全的代码：",  # noqa: RUF001 - as it is written there
    "コードは次のとおりです。",
)
WORDS_AFTER = (
    "This keeps the behaviour of the surrounding code.",
    "Explanation: the value is handed on unchanged.",
    "I hope this helps! Let me know if you need anything else.",
    "Damit ist die Lücke gefüllt.",
    "Note that the existing style of the file was followed.",
)


def words_before(place: Place, words: str, wrap: Callable[[str], str]) -> str | None:
    if not place.fenceable or place.gold.startswith("\n"):
        return None
    return f"{words}\n\n{wrap(place.whole)}"


def words_after(place: Place, words: str, wrap: Callable[[str], str]) -> str | None:
    bare_prose = wrap is bare and (place.prose or bool(place.suffix.strip()))
    if not place.fenceable or place.gold.startswith("\n") or bare_prose:
        return None
    return f"{wrap(place.whole)}\n\n{words}"


def words_around(place: Place, before: str, after: str) -> str | None:
    code = words_before(place, before, fenced)
    return code and f"{code}\n\n{after}"


# -- tags --------------------------------------------------------------------------------------


def in_a_tag(place: Place, form: str) -> str | None:
    if not place.fenceable or place.gold.startswith("\n"):
        return None
    return form.format(whole=place.whole, gold=place.gold, language=place.language)


# -- thoughts and special tokens ---------------------------------------------------------------

THOUGHT = "The user wants the code in the gap.\n\nIt needs a value; a list would be wrong."
THOUGHTS = (
    ("<think>\n", "\n</think>\n\n"),
    ("<think>", "</think>"),
    ("", "\n</think>\n\n"),
    ("<thinking>\n", "\n</thinking>\n"),
    ("", "\n</thinking>\n\n"),
    ("<thought>\n", "\n</thought>\n"),
    ("<reasoning>\n", "\n</reasoning>\n\n"),
    ("[THINK]", "[/THINK]"),
    ("", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>\n", "\n<|end_of_thought|>\n\n"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
)
END_TOKENS = (
    *("<|endoftext|>", "<|im_end|>", "</s>", "<|eot_id|>", "<|end_of_text|>", "<|fim_pad|>"),
    *("<|file_sep|>", "<|file_separator|>", "<end_of_turn>", "<eos>", "<EOT>", " <EOT>", "<|EOT|>"),
    *("<｜end▁of▁sentence｜>", " [/INST]", "[SUFFIX]", "[PREFIX]", "<|return|>", "<|end|>"),  # noqa: RUF001
    *("<|user|>", "<|assistant|>", "<|eom_id|>", "<|END_OF_TURN_TOKEN|>", "<fim_suffix>"),
    *("<fim-suffix>", "<|endofmask|>", "<|repo_name|>", "<file_sep>", "<|endofprompt|>"),
    *("<|fim_prefix|>", "<｜fim▁hole｜>", "<|cursor|>", "<|im_start|>user\nAnd", "<reponame>"),  # noqa: RUF001
)
FIRST_TOKENS = (
    *("<|fim_middle|>", "<fim_middle>", " <MID>", "[MIDDLE]", "<s>", "<bos>", "<|begin_of_text|>"),
    *("<｜fim▁end｜>", "<｜begin▁of▁sentence｜>", "<|im_start|>assistant\n", "<fim-middle>"),  # noqa: RUF001
    *("<start_of_turn>model\n", "<|start_header_id|>assistant<|end_header_id|>\n\n", "[/INST] "),
    *("<|assistant|>\n", "<|startoftext|>", "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"),
)


def after_a_thought(place: Place, marks: tuple[str, str], wrap: Callable[[str], str]) -> str | None:
    if place.gold.startswith("\n") or not place.fenceable:
        return None
    return marks[0] + THOUGHT + marks[1] + wrap(place.gold if wrap is bare else place.whole)


def with_tokens(place: Place, first: str, last: str) -> str | None:
    """Nothing where the document itself speaks of such tokens."""
    around = place.before + place.gold + place.after
    if any(token.strip() in around for token in (first, last) if token.strip()):
        return None
    return first + place.gold + last


# -- what stands there already -----------------------------------------------------------------


def word_again(place: Place, pattern: str, wrap: Callable[[str], str]) -> str | None:
    """The word so far, or the chain of names, comes again."""
    typed = re.search(pattern, place.prefix)
    if typed is None or not re.match(r"\w", place.gold) or place.prose or not place.fenceable:
        return None
    return wrap(typed[0] + place.gold)


def line_again(
    place: Place, wrap: Callable[[str], str], *, indented: bool, least: int
) -> str | None:
    typed = place.prefix.lstrip()
    if len(typed.strip()) < least or not place.fenceable:
        return None
    return wrap((place.prefix if indented else typed) + place.gold)


def rest_of_line_again(place: Place) -> str | None:
    follows = bool(place.suffix.strip()) and not place.closed
    return place.gold + place.suffix if follows else None


def part_of_line_again(place: Place) -> str | None:
    """The first token or two of what follows; not where it may be the text's own."""
    part = re.match(r"\s*(?:\w+|[\])}]+[;,]?|[^\w\s])", place.suffix)
    if part is None or place.closed or place.suffix.strip() in ("", part[0].strip()):
        return None
    return place.gold + part[0] if not place.gold.endswith(part[0]) else None


def lines_below_again(place: Place, count: int) -> str | None:
    rest = place.below[:count]
    takes = len(rest) == count and any(WORD.search(line) for line in rest)
    line = place.gold.rstrip("\n") + ("" if place.closed else place.suffix)
    return "\n".join([line, *rest]) if takes else None


def sign_again(place: Place) -> str | None:
    sign = language_of(place.language, None).line_comment
    return f"{sign} {place.gold}" if sign and place.prefix.strip() == sign else None


def gap_again(place: Place, form: str) -> str | None:
    return in_a_tag(place, form) if "<gap/>" not in place.before + place.after else None


# -- going round in circles --------------------------------------------------------------------


def line_round_and_round(place: Place) -> str | None:
    takes = place.fresh and not place.several and len(place.gold) > 4 and WORD.search(place.gold)
    return "\n".join([place.gold, *[place.indent + place.gold] * 7]) if takes else None


def block_round(place: Place, times: int) -> str | None:
    """From three lines on, which nobody writes twice in a row."""
    if not place.fresh or place.gold.strip("\n").count("\n") < 2 or place.gold.startswith("\n"):
        return None
    return "\n".join([place.gold, *[place.indent + place.gold] * (times - 1)])


def word_round_and_round(place: Place) -> str | None:
    word = re.search(r"(?<=\W)[^\W\d_]{4,}$", place.gold)
    ends = word is not None and not place.several and not place.suffix.strip()
    return place.gold + f" {word[0]}" * 12 if word and ends else None


# -- nothing to say ----------------------------------------------------------------------------

REFUSALS = (
    "I'm sorry, but I can't assist with that.",
    "I'm unable to help with that.",
    "No completion is needed here.",
    "The code is already complete.",
    "I cannot complete this code without more context. Could you tell me more?",
    "There is nothing to insert at this position.",
    "Es tut mir leid, dabei kann ich nicht helfen.",
    "Je suis désolé, je ne peux pas vous aider.",
    "As an AI language model, I don't have access to the rest of the file.",
)


def refused(place: Place, words: str) -> str | None:
    return words if not place.prose else None


def endless_thought(place: Place) -> str | None:
    return f"<think>\n{THOUGHT}\n{place.gold}" if not place.prose else None


def _table() -> tuple[Noise, ...]:
    wraps = {"fence": fenced, "tag": tagged, "bare": bare}
    wrapped = {"fence": fenced, "tag": tagged}
    infos: dict[str, Callable[[str], str]] = {
        "language": lambda language: language,
        "none": lambda _: "",
        "file ending": ending_of,
        "path": lambda language: f"{language}:src/a.{ending_of(language)}",
        "blank first": lambda language: f" {language}",
        "capitals": lambda language: language.upper(),
        "title": lambda language: f'{language} title="a.{ending_of(language)}" {{1,3}}',
        "unknown": lambda _: "code-snippet",
    }
    tags = {
        "the line": "<insert>{whole}</insert>",
        "the gold": "<insert>{gold}</insert>",
        "lines of its own": "<insert>\n{whole}\n</insert>",
        "no end": "<insert>{whole}",
        "only the end": "{whole}</insert>",
        "fence inside": "<insert>\n```{language}\n{whole}\n```\n</insert>",
        "in a fence": "```xml\n<insert>{whole}</insert>\n```",
        "code tag": "<code>{whole}</code>",
        "completion tag": "<completion>\n{whole}\n</completion>",
        "answer tag": "<answer>{whole}</answer>",
    }
    tags_and_words = {
        "before": "Here you go: {tag}",
        "above": "The missing code is:\n\n{tag}",
        "around": "The gap takes this:\n{tag}\n\nHope this helps!",
        "German": "Die Lücke wird so gefüllt:\n{tag}\nViel Erfolg!",
    }
    gaps = {
        "at the end": "<insert>{whole}<gap/></insert>",
        "at the start": "<insert><gap/>{gold}</insert>",
        "in the line's place": "{whole}<gap/>",
    }
    return (
        Noise("blanks", "one too many", one_blank),
        Noise("blanks", "the indentation less one", blanks_of_a_token),
        Noise("blanks", "the indentation again", indentation_again),
        Noise("blanks", "blank lines first", blank_lines_first),
        Noise("blanks", "at the end", blanks_at_the_end),
        Noise("blanks", "carriage returns", carriage_returns),
        *(
            Noise("dedented", name, partial(at_the_margin, wrap=wrap), chat=True)
            for name, wrap in wraps.items()
        ),
        *(
            Noise("width", f"{label}, {name}", partial(in_another_unit, new=new, wrap=wrap), chat)
            for label, new in (("2", "  "), ("4", " " * 4), ("8", " " * 8), ("tabs", "\t"))
            for name, wrap, chat in (("bare", None, False), ("fence", fenced, True))
        ),
        *(
            Noise("echo", f"{label}, {name}", partial(change, wrap=wrap), chat=True)
            for name, wrap in wraps.items()
            for label, change in (
                ("line above", partial(lines_above_again, count=1)),
                ("two lines above", partial(lines_above_again, count=2)),
                ("function so far", function_so_far),
                ("file so far", file_so_far),
                ("whole file", whole_file),
            )
        ),
        *(
            Noise(
                "fence",
                f"{name}, {'line' if whole else 'gold'}",
                partial(in_a_fence, info=info, whole=whole),
                chat=True,
            )
            for name, info in infos.items()
            for whole in (True, False)
        ),
        Noise("fence", "tildes", in_tildes, chat=True),
        Noise("fence", "ends on the line", fence_ends_on_the_line, chat=True),
        Noise("fence", "on one line", fence_on_one_line, chat=True),
        Noise("fence", "no end", fence_without_end, chat=True),
        Noise("backticks", "around a short answer", in_backticks, chat=True),
        *(
            Noise(
                "words before",
                f"{words}, {name}",
                partial(words_before, words=words, wrap=wrap),
                True,
            )
            for words in WORDS_BEFORE
            for name, wrap in wrapped.items()
        ),
        *(
            Noise(
                "words after",
                f"{words}, {name}",
                partial(words_after, words=words, wrap=wrap),
                True,
            )
            for words in WORDS_AFTER
            for name, wrap in wraps.items()
        ),
        *(
            Noise("words around", before, partial(words_around, before=before, after=after), True)
            for before, after in zip(WORDS_BEFORE, WORDS_AFTER * 3, strict=False)
        ),
        *(
            Noise("tag", name, partial(in_a_tag, form=form), chat=True)
            for name, form in tags.items()
        ),
        *(
            Noise(
                "tag with words",
                name,
                partial(in_a_tag, form=form.format(tag=tags["the line"])),
                True,
            )
            for name, form in tags_and_words.items()
        ),
        *(
            Noise("gap mark", name, partial(gap_again, form=form), chat=True)
            for name, form in gaps.items()
        ),
        *(
            Noise(
                "thoughts",
                f"{first.strip()}..{last.strip()}, {name}",
                partial(after_a_thought, marks=(first, last), wrap=wrap),
                chat=True,
            )
            for first, last in THOUGHTS
            for name, wrap in wraps.items()
        ),
        *(
            Noise("end tokens", token, partial(with_tokens, first="", last=token))
            for token in END_TOKENS
        ),
        *(
            Noise(
                "end tokens",
                f"{token}, and more",
                partial(with_tokens, first="", last=token + more),
            )
            for token in END_TOKENS
            for more in ("\n<|more|>\nimport this",)
        ),
        *(
            Noise("first tokens", token, partial(with_tokens, first=token, last=""))
            for token in FIRST_TOKENS
        ),
        *(
            Noise(
                "word doubled", f"{label}, {name}", partial(word_again, pattern=p, wrap=wrap), True
            )
            for name, wrap in wraps.items()
            for label, p in (
                ("word", r"[^\W\d]\w{2,}$"),
                ("chain", r"[^\W\d]\w*(?:\.\w+)*\.\w{2,}$"),
            )
        ),
        *(
            Noise(
                "line doubled",
                f"{'indented' if indented else 'plain'}, {name}",
                partial(line_again, wrap=wrap, indented=indented, least=3 if wrap is bare else 1),
                chat=True,
            )
            for name, wrap in wraps.items()
            for indented in (True, False)
        ),
        Noise("repetition", "the line", line_round_and_round),
        Noise("repetition", "the block twice", partial(block_round, times=2)),
        Noise("repetition", "the block four times", partial(block_round, times=4)),
        Noise("repetition", "the word", word_round_and_round),
        Noise("suffix again", "the line's rest", rest_of_line_again),
        Noise("suffix again", "a part of the line's rest", part_of_line_again),
        *(
            Noise("suffix again", f"{count} lines below", partial(lines_below_again, count=count))
            for count in (1, 2, 3, 12)
        ),
        Noise("comment sign", "doubled", sign_again),
        *(
            Noise("refusal", words, partial(refused, words=words), chat=True, nothing=True)
            for words in REFUSALS
        ),
        Noise("refusal", "a thought without end", endless_thought, chat=True, nothing=True),
    )


NOISES = _table()
"""Every habit; those of one kind stand together."""
