"""Recall: what the code itself suggests. A bar marks the cursor."""

import asyncio
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth import calls
from twotrack.engine.recall import RecallProvider, Recollection, recall_model, suggest
from twotrack.engine.recall_vote import LIKELY, SURE, Bar
from twotrack.errors import Declined
from twotrack.llm.api import Chat, Chunk, Infill, Message
from twotrack.workspace.code_index import CodeIndex
from twotrack.workspace.line_index import MAX_LINE_CHARS

OPENER = """\
def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
"""
LEDGER = """\
    def add(self, amount):
        if amount < 0:
            raise ValueError("the amount is negative")
        self.total += amount
        return self.total
"""


def indexed(files: dict[str, str] | None = None, language: str = "python") -> CodeIndex:
    index = CodeIndex()
    for path, text in (files or {}).items():
        index.update(path, language, text)
    finish(index)
    return index


def finish(index: CodeIndex) -> None:
    for _ in index.index_steps():
        pass


def ask(
    index: CodeIndex,
    marked: str,
    *,
    path: str = "/w/here.py",
    language: str = "python",
    max_lines: int = 1,
    bar: Bar = LIKELY,
) -> Recollection | None:
    before, after = dedent(marked).split("|")
    *above, line_prefix = before.split("\n")
    line_suffix, *below = after.split("\n")
    return suggest(
        index.of(language),
        above,
        line_prefix,
        line_suffix,
        below,
        path_key=path,
        max_lines=max_lines,
        bar=bar,
    )


def check(index: CodeIndex, marked: str, expected: str | None, *, max_lines: int = 1) -> None:
    found = ask(index, marked, max_lines=max_lines)
    assert (found and found.text) == expected


def copies(text: str, count: int = 12, folder: str = "/w") -> dict[str, str]:
    return {f"{folder}/copy{number}.py": text for number in range(count)}


# Inside a line


def test_a_line_goes_on_as_its_like_did() -> None:
    check(indexed(copies(OPENER)), "with open(path, |", 'encoding="utf-8") as file:')


def test_a_half_typed_word_is_completed() -> None:
    check(indexed(copies(OPENER)), "with open(path, enc|", 'oding="utf-8") as file:')


def test_the_end_of_a_longer_line_is_enough() -> None:
    marked = """\
        if first:
            text = read_all(open(path, encoding="utf-8")|
    """
    files = copies('data = parse(open(path, encoding="utf-8").read())\n')
    check(indexed(files), marked, ".read())")


def test_the_part_is_proposed_on_which_the_sources_agree() -> None:
    files = {f"/w/{n}.py": f"self.assertEqual(response.status, {n}00, '{n}00')\n" for n in range(8)}
    check(indexed(files), "self.assertEqual(resp|", "onse.status,")


def test_equal_lines_above_decide_between_continuations() -> None:
    files = {}
    for number in range(5):
        files[f"/w/red{number}.py"] = "paint = mix(red)\nwall = cover(paint, twice)\n"
        files[f"/w/blue{number}.py"] = "paint = mix(blue)\nwall = cover(paint, thinly)\n"
    index = indexed(files)
    check(index, "paint = mix(blue)\nwall = cover(|", "paint, thinly)")
    check(index, "paint = mix(red)\nwall = cover(|", "paint, twice)")


@pytest.mark.parametrize("marked", ["foo = 1\n" * 8 + "|", "foo = 1\n" * 8 + "foo = |"])
def test_blank_lines_are_passed_up_to_a_bound(marked: str) -> None:
    def suggested(index: CodeIndex) -> None:
        ask(index, marked)

    few, many = (indexed({"/w/a.py": ("foo = 1\n" + "\n" * n) * 40}) for n in (20, 80))
    assert calls(suggested, many) < 1.1 * calls(suggested, few)


# On a fresh line


def test_a_fresh_line_goes_on_as_after_the_same_lines() -> None:
    marked = """\
        def load(path):
            with open(path, encoding="utf-8") as file:
                |
    """
    check(indexed(copies(OPENER)), marked, "return file.read()")


def test_a_block_is_proposed_while_its_sources_agree_and_takes_the_cursors_indentation() -> None:
    index = indexed(copies(LEDGER, 24))
    marked = """\
        def add(self, amount):
            |
    """
    expected = (
        'if amount < 0:\n        raise ValueError("the amount is negative")\n'
        "    self.total += amount\n    return self.total"
    )
    check(index, marked, expected, max_lines=8)
    check(index, marked, "\n".join(expected.split("\n")[:2]), max_lines=2)


def test_a_block_ends_where_the_sources_part() -> None:
    start = "    def close(self):\n        self.flush()\n"
    files = {f"/w/{n}.py": f"{start}        self.detach_{n}()\n" for n in range(5)}
    marked = """\
        class File:
            def close(self):
                |
    """
    check(indexed(files), marked, "self.flush()", max_lines=8)


def test_a_block_with_tabs_does_not_go_below_a_line_with_spaces() -> None:
    files = copies("def add(self, amount):\n\tif amount:\n\t\treturn 1\n")
    marked = "def add(self, amount):\n    |\n"
    check(indexed(files), marked, "if amount:", max_lines=8)


def test_a_line_of_another_depth_is_no_continuation() -> None:
    check(indexed(copies("if ready:\n    launch(now)\n")), "if ready:\n|\n", None)


# In the way of a model

START = "def save(self, amount):\n    check(amount)\n    "
SAVED = START + "self.total.save(amount)\n"


def sure(index: CodeIndex, marked: str) -> str | None:
    found = ask(index, marked, bar=SURE)
    return found and found.text


def test_only_words_that_the_file_has_are_nearly_certain() -> None:
    index = indexed(copies(SAVED, 90))
    assert sure(index, f"total = 0\n{START}|") == "self.total.save(amount)"
    assert sure(index, f"{START}|") is None
    assert ask(index, f"{START}|") is not None


def test_few_characters_stand_in_no_models_way() -> None:
    index = indexed(copies(SAVED, 90))
    marked = f"total = 0\n{START}self.total.save(am|"
    assert sure(index, marked) is None
    assert ask(index, marked) is not None


# What is there already


def test_the_document_itself_is_searched_without_any_update() -> None:
    marked = """\
        count = 1
        total = add(total, price.of(apple), currency)
        count = 1
        total = add(total, |
    """
    check(indexed(), marked, "price.of(apple), currency)")


def test_the_next_line_is_not_proposed_again() -> None:
    index = indexed(copies(OPENER))
    check(
        index,
        """\
        with open(path, encoding="utf-8") as file:
            |
            return file.read()
        """,
        None,
    )
    check(index, 'with open(path, |\nwith open(path, encoding="utf-8") as file:\n', None)


def test_a_block_stops_before_the_line_that_follows() -> None:
    marked = """\
        def add(self, amount):
            |
            self.total += amount
    """
    expected = 'if amount < 0:\n        raise ValueError("the amount is negative")'
    check(indexed(copies(LEDGER)), marked, expected, max_lines=8)


def test_what_follows_on_the_line_is_not_doubled() -> None:
    files = copies("value = clamp(value, lowest(of), highest)\n")
    check(indexed(files), "value = clamp(value, |)\n", "lowest(of), highest")
    check(indexed(files), "value = clamp(value, | + more\n", None)


def test_an_older_text_of_the_cursors_line_is_not_brought_back() -> None:
    old = "def run():\n    start(engine, slowly)\n    stop()\n"
    index = indexed({"/w/here.py": old})
    check(index, "def run():\n    start(eng|\n    stop()\n", None)
    # Known under a longer key too: prompts name files as the workspace sees them.
    found = ask(index, "def run():\n    start(eng|\n    stop()\n", path="here.py")
    assert found is None


# Silence


@pytest.mark.parametrize(
    "marked",
    ["|", "\n|", "    |", "\n\n    |", "x|", "(|", "foo(bar, |", "return |", '"""|', "\t|\t"],
)
def test_an_empty_index_says_nothing(marked: str) -> None:
    check(indexed(), marked, None)


def test_disagreement_says_nothing() -> None:
    files = {f"/w/{n}.py": f"result = compute(value{n}, other{n})\n" for n in range(9)}
    check(indexed(files), "result = compute(|", None)


def test_another_files_local_name_is_not_proposed_on_little_evidence() -> None:
    marked = "state = check(|\n"
    line = "state = check(zebra_crossing)\n"
    check(indexed({"/w/a.py": line}), marked, None)
    assert ask(indexed(copies(line)), marked) is not None


def test_closers_and_blank_texts_are_not_proposed() -> None:
    files = copies("table = build(rows, columns)\nitems = [\n]\n")
    check(indexed(files), "table = build(rows, columns|", None)
    check(indexed(files), "items = [\n|", None)


def test_very_long_lines_are_not_proposed() -> None:
    files = copies("data = load(" + "1, " * MAX_LINE_CHARS + ")\n")
    check(indexed(files), "data = load(|", None)


# Languages, characters, line ends


def test_another_language_is_another_world() -> None:
    index = indexed(copies(OPENER), language="ruby")
    check(index, "with open(path, |", None)


def test_dialects_of_one_language_share() -> None:
    index = indexed(copies('import { useState } from "react";\n'), language="typescript")
    found = ask(index, "import { useState |", language="typescriptreact")
    assert found is not None
    assert found.text == '} from "react";'


def test_an_unknown_language_has_its_own_lines() -> None:
    index = indexed(copies("main = interact (unlines . map shout)\n"), language="haskell")
    found = ask(index, "main = interact (|", language="haskell")
    assert found is not None
    assert ask(index, "main = interact (|", language="elm") is None


def test_crlf_files_and_documents_meet() -> None:
    index = indexed(copies(LEDGER.replace("\n", "\r\n")))
    found = suggest(
        index.of("python"),
        ["def add(self, amount):\r\n"],
        "    ",
        "\r\n",
        [],
        path_key="/w/here.py",
        max_lines=2,
    )
    assert found is not None
    assert found.text == 'if amount < 0:\n        raise ValueError("the amount is negative")'


def test_words_of_any_script() -> None:
    files = copies("größe = länge(straße, höhe) + näher\n")
    check(indexed(files), "größe = länge(stra|", "ße, höhe) + näher")


# The index


def test_a_new_text_replaces_the_old() -> None:
    index = indexed(copies("engine.start(slowly, carefully)\n"))
    for path, text in copies("engine.start(fast, boldly)\n").items():
        index.update(path, "python", text)
    finish(index)
    check(index, "engine.start(|", "fast, boldly)")
    assert index.line_count == 24


def test_a_removed_file_is_forgotten_at_once() -> None:
    index = indexed(copies(OPENER))
    for path in copies(OPENER):
        index.remove(path)
    check(index, "with open(path, |", None)
    assert index.line_count == 0


def test_a_file_removed_while_it_is_being_indexed_stays_out() -> None:
    index = CodeIndex()
    index.update("/w/long.py", "python", OPENER * 400)
    steps = index.index_steps()
    next(steps)
    index.remove("/w/long.py")
    for _ in steps:
        pass
    assert index.line_count == 0
    check(index, "with open(path, |", None)


def test_the_old_text_serves_until_the_new_one_is_indexed() -> None:
    index = indexed({**copies(OPENER), "/w/long.py": LEDGER * 300})
    for path in copies(OPENER):
        index.update(path, "python", OPENER + LEDGER * 300)
    steps = index.index_steps()
    next(steps)
    check(index, "with open(path, |", 'encoding="utf-8") as file:')
    assert index.line_count == 12 * 4 + 1_501
    for _ in steps:
        pass
    assert index.line_count == 12 * 1_504 + 1_501


def test_a_file_that_changes_its_language_leaves_the_old_one() -> None:
    index = indexed(copies(OPENER))
    for path, text in copies(OPENER).items():
        index.update(path, "ruby", text)
    finish(index)
    check(index, "with open(path, |", None)
    assert index.line_count == 48


def test_beyond_its_bound_the_index_drops_what_was_updated_longest_ago() -> None:
    index = CodeIndex(max_lines=10)
    for path, text in {"/w/old.py": OPENER, **copies(LEDGER, 1), "/w/new.py": "a = 1"}.items():
        index.update(path, "python", text)
    finish(index)
    assert index.line_count == 7
    index.update("/w/huge.py", "python", "\n" * 20)
    finish(index)
    assert index.line_count == 7


def test_reindexing_without_end_keeps_what_is_live() -> None:
    index = indexed(copies(OPENER))
    for round_ in range(12):
        index.update("/w/open.py", "python", f"a = {round_}\n" * 1_500)
        finish(index)
    assert index._by_language["python"]._end < 15_000
    check(index, "with open(path, |", 'encoding="utf-8") as file:')


def test_a_removal_while_the_index_is_rebuilt_holds() -> None:
    index = indexed({**copies(OPENER), "/w/z.py": LEDGER * 500})
    line_index = index._by_language["python"]
    rebuilding = line_index.rebuilt()
    assert next(rebuilding) is None
    for path in copies(OPENER):
        line_index.remove(path)
    fresh = [step for step in rebuilding if step is not None][-1]
    assert fresh.live_lines == line_index.live_lines == 2501


def test_thousands_of_short_files_are_rebuilt_in_slices() -> None:
    index = indexed({f"/w/{number}.py": f"a = {number}\n" for number in range(500)})
    assert len(list(index._by_language["python"].rebuilt())) > 500


async def test_others_run_between_the_slices() -> None:
    index = CodeIndex()
    index.update("/w/long.py", "python", OPENER * 1_000)
    draining = asyncio.create_task(index.drain())
    turns = 0
    while not draining.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20
    assert index.line_count == 3001


def test_the_same_state_gives_the_same_answer() -> None:
    answers = {ask(indexed(copies(OPENER)), "with open(path, |") for _ in range(3)}
    assert len(answers) == 1


lines = st.lists(
    st.sampled_from(["if a:", "    b(c, d)", "\treturn e", "", "  ", "}", "é = ü(", ")", "x"]),
    max_size=12,
)


@given(file=lines, above=lines, line=st.text("ab(c, )é=\t", max_size=8), below=lines)
def test_a_proposal_is_never_blank_nor_longer_than_asked(
    file: list[str], above: list[str], line: str, below: list[str]
) -> None:
    index = indexed({"/w/a.py": "\n".join(file), "/w/b.py": "\r\n".join(file)})
    for at in range(len(line) + 1):
        for most in (1, 3):
            found = suggest(
                index.of("python"),
                above,
                line[:at],
                line[at:],
                below,
                path_key="/w/c.py",
                max_lines=most,
            )
            if found is not None:
                assert found.text.strip()
                assert found.text.count("\n") < most
                assert "\r" not in found.text
                assert 0.5 < found.confidence <= 1


# As a model of a route


def infill(prefix: str, suffix: str = "", stop: tuple[str, ...] = ()) -> Infill:
    return Infill(prefix, suffix, "/w/here.py", "python", stop=stop)


async def answer(index: CodeIndex, prompt: Infill | Chat) -> list[Chunk]:
    return [chunk async for chunk in RecallProvider(index).stream(prompt)]


async def test_the_provider_streams_one_chunk() -> None:
    (chunk,) = await answer(indexed(copies(OPENER, 24)), infill("x = 1\nwith open(path, "))
    assert chunk.text == 'encoding="utf-8") as file:\n    return file.read()'
    assert chunk.finish == "stop"
    assert chunk.model == "recall"


async def test_a_newline_among_the_stops_asks_for_one_line() -> None:
    (chunk,) = await answer(indexed(copies(OPENER)), infill("with open(path, ", stop=("\n",)))
    assert chunk.text == 'encoding="utf-8") as file:'


async def test_the_provider_declines_where_there_is_nothing() -> None:
    with pytest.raises(Declined, match="recall"):
        await answer(indexed(), infill("with open(path, "))
    with pytest.raises(Declined):
        await answer(indexed(copies(OPENER)), infill("with open(path, ", stop=("encoding",)))


async def test_the_provider_declines_a_chat() -> None:
    with pytest.raises(Declined, match="completions"):
        await answer(indexed(), Chat("", (Message("user", "Explain"),)))


async def test_the_model_is_local_and_infills() -> None:
    model = recall_model(indexed())
    assert model.name == "recall"
    assert model.capabilities.local
    assert model.fills
    assert not model.chats
    await model.aclose()
