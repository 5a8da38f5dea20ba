"""What models add to a right answer: each kind of noise by its name.

The right result is that of the clean answer, or nothing for `nothing`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from answer_habits import (
    after_a_thought,
    at_the_margin,
    blank_lines_first,
    blanks_at_the_end,
    blanks_of_a_token,
    block_round,
    carriage_returns,
    closer_too_many,
    ending_of,
    endless_thought,
    fence_ends_on_the_line,
    fence_on_one_line,
    fence_without_end,
    file_so_far,
    function_so_far,
    gap_again,
    in_a_fence,
    in_a_tag,
    in_another_unit,
    in_backticks,
    in_tildes,
    indentation_again,
    line_again,
    line_round_and_round,
    lines_above_again,
    lines_below_again,
    one_blank,
    part_of_line_again,
    refused,
    rest_of_line_again,
    sign_again,
    whole_file,
    whole_function,
    with_tokens,
    word_again,
    word_round_and_round,
    words_after,
    words_around,
    words_before,
)
from answer_phrases import END_TOKENS, FIRST_TOKENS, REFUSALS, THOUGHTS, WORDS_AFTER, WORDS_BEFORE
from answer_place import Place, bare, fenced, tagged

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
        "snippet tag": "<snippet>{whole}</snippet>",
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
                ("whole function", partial(whole_function, margin=False)),
                ("whole function at the margin", partial(whole_function, margin=True)),
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
        Noise("closer", "one too many", closer_too_many),
        Noise("comment sign", "doubled", sign_again),
        *(
            Noise("refusal", words, partial(refused, words=words), chat=True, nothing=True)
            for words in REFUSALS
        ),
        Noise("refusal", "a thought without end", endless_thought, chat=True, nothing=True),
    )


NOISES = _table()
"""Every habit; those of one kind stand together."""
