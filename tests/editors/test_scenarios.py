"""What every editor does alike: completions, code actions, and what goes wrong.

A scenario runs in each editor that can do what it needs; why another one cannot stands in the
`cannot` of its class. What an editor has for itself is in the tests of its own folder.
"""

from collections.abc import Callable

import pytest

from editors.driver import CURSOR, Can, Driver, Machine
from editors.drivers import DRIVERS
from editors.models import Models, Reply
from editors.outcomes import Outcomes

Start = Callable[[str], Driver]

ADD = "def add(a, b):\n    $0\n"
TYPED = "def add(a, b):\n    re\n"
ADDED = "def add(a, b):\n    return a + b\n"
BODY = "total = 0\n    for n in numbers:\n        total += n\n    return total"
SWAP = "# ai: swap\ndef add(a, b):\n    return a + b\n"
SWAPPED = "def add(a, b):\n    return b + a\n"
REPLY = f"```python\n{SWAPPED}```"


def in_editors_that(*needed: Can) -> pytest.MarkDecorator:
    """Run a scenario in the editors that can do this."""
    able = [name for name, one in DRIVERS.items() if not set(needed) & set(one.cannot)]
    return pytest.mark.parametrize("start", able, indirect=True)


in_all_editors = in_editors_that()


@pytest.fixture
def start(request: pytest.FixtureRequest, machine: Machine) -> Start:
    """Return a function that opens a.py with a text; the cursor is at its mark."""

    def begin(text: str) -> Driver:
        editor = DRIVERS[request.param].start(machine, "a.py", text.replace(CURSOR, ""))
        editor.open_at_cursor(text)
        return editor

    return begin


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


# -- completions -----------------------------------------------------------------------------------


@in_all_editors
def test_a_completion_is_inserted_exactly_and_undone_in_one_step(
    start: Start, models: Models
) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.offers("return a + b")
    editor.key("accept")
    editor.becomes(ADDED)
    editor.key("undo")
    editor.becomes(ADD.replace(CURSOR, "") if editor.undo_takes_typing else TYPED)


@in_editors_that(Can.INSERT_SEVERAL_LINES)
def test_several_lines_into_a_file_with_crlf_undone_in_one_step(
    start: Start, models: Models
) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start(crlf("def total(numbers):\n$0\n"))
    editor.type("    ")
    editor.ask()
    editor.offers("total = 0")
    assert "^M" not in editor.screen.text()
    editor.key("accept")
    editor.saves(crlf(f"def total(numbers):\n    {BODY}\n"))
    editor.key("undo")
    editor.becomes(crlf("def total(numbers):\n    \n"))


@in_editors_that(Can.SHOW_MORE_OF_IT)
def test_a_block_is_shown_from_its_first_line_on(start: Start, models: Models) -> None:
    first, *rest = BODY.splitlines(keepends=True)
    models.answer_at("numbers):\n    ", Reply(chunks=[first, *rest], hang_after=1))
    editor = start("def total(numbers):\n$0\n")
    editor.type("    ")
    editor.ask()
    editor.offers("total = 0")
    asked = len(models.requests)
    models.release()
    editor.offers("return total")
    assert len(models.requests) == asked
    editor.key("accept")
    editor.becomes(f"def total(numbers):\n    {BODY}\n")
    editor.key("undo")
    editor.becomes("def total(numbers):\n    \n")


@in_editors_that(Can.SHOW_MORE_OF_IT)
def test_what_was_dismissed_is_not_shown_again_when_its_rest_comes(
    start: Start, models: Models
) -> None:
    first, *rest = BODY.splitlines(keepends=True)
    models.answer_at("numbers):\n    ", Reply(chunks=[first, *rest], hang_after=1))
    editor = start("def total(numbers):\n$0\n")
    editor.type("    ")
    editor.ask()
    editor.offers("total = 0")
    editor.key("dismiss")
    editor.hides("total = 0")
    models.release()
    assert models.quiet_for(1)
    assert "total = 0" not in editor.screen.text()


@in_editors_that(Can.INSERT_SEVERAL_LINES, Can.REDO)
def test_what_was_undone_is_done_again(start: Start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("def total(numbers):\n$0\n")
    editor.type("    ")
    editor.ask()
    editor.offers("total = 0")
    editor.key("accept")
    editor.becomes(f"def total(numbers):\n    {BODY}\n")
    editor.key("undo")
    editor.hides("for n in")
    editor.key("redo")
    editor.becomes(f"def total(numbers):\n    {BODY}\n")


@in_all_editors
def test_behind_emojis_in_a_file_with_crlf_the_cursor_stands_after_what_was_inserted(
    start: Start, models: Models
) -> None:
    models.answer_at("; size = te", "xt.size")
    editor = start("# ä\r\ntext = 'é😀👍🏽𐍈'$0\r\n")
    editor.type("; size = te")
    editor.offers("text.size")
    editor.key("accept")
    editor.shows("text.size")
    editor.type("  # in bytes")
    editor.saves("# ä\r\ntext = 'é😀👍🏽𐍈'; size = text.size  # in bytes\r\n")


@in_all_editors
def test_what_stands_behind_the_cursor_is_not_doubled(start: Start, models: Models) -> None:
    models.answer_at("print(tot", "al)")
    editor = start("print(to$0)\n")
    editor.type("t")
    editor.offers("print(total)" if Can.SHOW_GHOST_TEXT not in editor.cannot else "total")
    editor.key("accept")
    editor.becomes("print(total)\n")


@in_editors_that(Can.COMPLETE_AS_ONE_TYPES, Can.TYPE_INTO_IT)
def test_what_is_typed_through_is_not_asked_again(start: Start, models: Models) -> None:
    models.answer_at("return to", "tal + rest")
    editor = start(ADD)
    editor.type("return to")
    editor.offers("total + rest")
    for typed in ("t", "al"):
        editor.type(typed)
        assert models.quiet_for(0.5)
        editor.offers("total + rest")
    editor.key("accept")
    editor.becomes("def add(a, b):\n    return total + rest\n")


@in_editors_that(Can.COMPLETE_AS_ONE_TYPES)
def test_leaving_takes_nothing(start: Start, models: Models) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.offers("return a + b")
    editor.key("leave")
    editor.hides("a + b")
    editor.becomes(TYPED)


@in_editors_that(Can.DISMISS)
def test_what_a_key_takes_away_comes_again_with_typing(start: Start, models: Models) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.offers("return a + b")
    editor.key("dismiss")
    editor.hides("a + b")
    editor.type("t")
    editor.offers("return a + b")


@in_all_editors
def test_what_became_of_a_completion_is_known(
    start: Start, models: Models, outcomes: Outcomes
) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.offers("return a + b")
    editor.key("accept")
    editor.becomes(ADDED)
    outcomes.wait_for("accepted", share=1.0)
    assert outcomes.told("accepted") == (Can.TELL_WHAT_WAS_ACCEPTED not in editor.cannot)


@in_editors_that(Can.DISMISS, Can.TELL_WHAT_WAS_DISMISSED)
def test_what_was_taken_away_does_not_come_again_at_its_place(
    start: Start, models: Models, outcomes: Outcomes
) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.offers("return a + b")
    editor.key("dismiss")
    editor.hides("a + b")
    outcomes.wait_for("rejected", share=0.0)
    editor.type("x")
    editor.screen.keys("BSpace")
    models.quiet_for(0.5)  # whatever it asks for then has come
    editor.hides("a + b")


@in_editors_that(Can.COMPLETE_AS_ONE_TYPES)
def test_typing_on_ends_the_question_at_the_model(start: Start, models: Models) -> None:
    models.script(Reply("turn a + b", hang=True))
    editor = start(ADD)
    editor.type("re")
    first = models.wait_for(1)
    editor.type("turn a.")
    models.wait_closed(first)
    assert first.aborted_at is not None


# -- ghost text ------------------------------------------------------------------------------------


@in_editors_that(Can.SHOW_GHOST_TEXT)
def test_what_is_shown_is_not_in_the_text(start: Start, models: Models) -> None:
    models.answer_at("    re", "turn a + b")
    editor = start(ADD)
    editor.type("re")
    editor.shows("    return a + b")
    editor.becomes(TYPED)
    editor.type("x")
    editor.shows("rex")
    editor.hides("a + b")
    editor.becomes(TYPED.replace("re", "rex"))


@in_editors_that(Can.SHOW_GHOST_TEXT, Can.TYPE_INTO_IT)
def test_accepting_right_after_a_typed_key_inserts_the_rest(start: Start, models: Models) -> None:
    models.answer_at("return ", "a + b")
    editor = start(ADD)
    editor.type("return ")
    editor.offers("return a + b")
    line, column = editor.screen.cursor()
    assert editor.screen.text().splitlines()[line][column:] == "a + b"
    editor.type("a", then="accept")  # before anything can be asked or answered
    editor.becomes(ADDED)


@in_editors_that(Can.SHOW_GHOST_TEXT)
def test_leaving_ends_the_question_at_the_model(start: Start, models: Models) -> None:
    models.script(Reply("a + b", hang=True))
    editor = start(ADD)
    editor.type("return ")
    first = models.wait_for(1)
    editor.key("leave")
    models.wait_closed(first)
    assert first.aborted_at is not None


@in_editors_that(Can.ACCEPT_A_PART)
def test_a_word_and_a_line_are_accepted_and_the_rest_stays(start: Start, models: Models) -> None:
    models.answer_at("numbers):\n    ", BODY)
    editor = start("def total(numbers):$0\n")
    editor.key("new line")
    editor.offers("    return total")
    asked = len(models.requests)
    editor.key("accept word")
    editor.becomes("def total(numbers):\n    total\n")
    editor.offers("    return total")
    editor.key("accept word")
    editor.becomes("def total(numbers):\n    total =\n")
    editor.offers("    return total")
    editor.key("accept line")
    editor.becomes("def total(numbers):\n    total = 0\n")
    editor.offers("    return total")
    editor.key("accept line")
    editor.becomes("def total(numbers):\n    total = 0\n    for n in numbers:\n")
    editor.offers("    return total")
    assert len(models.requests) == asked
    editor.key("accept")
    editor.becomes(f"def total(numbers):\n    {BODY}\n")


# -- code actions ----------------------------------------------------------------------------------


@in_all_editors
def test_an_action_behind_an_emoji_in_a_file_with_crlf_is_undone_in_one_step(
    start: Start, models: Models
) -> None:
    before, after = (text.replace("return ", "return '😀', ") for text in (SWAP, SWAPPED))
    models.script(Reply(f"```python\n{after}```"))
    editor = start(crlf(f"$0{before}"))
    editor.act("Edit: swap")
    editor.shows("b + a")
    editor.saves(crlf(after))
    assert len(models.requests) == 1  # listing asked nobody
    editor.key("undo")
    editor.saves(crlf(before))


@in_all_editors
def test_what_is_typed_above_while_an_action_runs_is_drawn_and_stays(
    start: Start, models: Models
) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start(f"x = 0\nz = 2\n$0{SWAP}")
    editor.act("Edit: swap")
    asked = models.wait_for(1)
    editor.go_to(1)
    editor.key("new line")
    editor.type("y = 1")
    editor.shows("y = 1")
    editor.send_changes()
    assert asked.finished_at is None
    models.release()
    editor.shows("b + a")
    editor.becomes(f"x = 0\ny = 1\nz = 2\n{SWAPPED}")


@in_editors_that(Can.TELL_OF_A_REFUSAL)
def test_an_action_about_what_was_changed_meanwhile_is_refused(
    start: Start, models: Models
) -> None:
    models.answer_always(Reply(""))
    models.script(Reply(REPLY, hang=True))
    editor = start(f"$0{SWAP}")
    editor.act("Edit: swap")
    models.wait_for(1)
    editor.go_to(3)
    editor.type(" * 2")
    editor.shows("a + b * 2")
    editor.send_changes()
    models.release()
    editor.says("The code changed while the answer was made")
    editor.becomes(SWAP.replace("a + b", "a + b * 2"))


# -- what goes wrong -------------------------------------------------------------------------------


@in_all_editors
def test_a_model_that_is_down_is_said_and_an_action_changes_nothing(
    start: Start, models: Models
) -> None:
    editor = start(f"$0{SWAP}")
    models.stop_listening()
    editor.act("Edit: swap")
    editor.shows("clever")
    editor.becomes(SWAP)
    models.listen_again()


@in_editors_that(Can.COMPLETE_AS_ONE_TYPES, Can.REPEAT_ITS_MESSAGES)
def test_a_model_that_is_down_is_said_once_and_typing_goes_on(start: Start, models: Models) -> None:
    models.stop_listening()
    editor = start(ADD)
    editor.type("re")
    editor.says(editor.unreachable)
    for line in ("xxx", "yyy", "zzz"):
        editor.key("new line")
        editor.type(line)
        editor.shows(line)
    editor.becomes(f"{TYPED}    xxx\n    yyy\n    zzz\n")
    assert editor.times_said(editor.unreachable) == 1
    models.listen_again()


@in_editors_that(Can.RESTART)
def test_a_killed_server_is_started_again(start: Start, models: Models) -> None:
    models.answer_at("    retur", "n a + b")
    editor = start(ADD)
    editor.kill_server()
    editor.type("re")
    editor.wait_restarted()
    editor.type("tur")
    editor.offers("return a + b")
    editor.key("accept")
    editor.becomes(ADDED)


# -- who takes part --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRIVERS)
def test_an_editor_has_a_key_for_all_that_it_can_do(name: str) -> None:
    editor = DRIVERS[name]
    needed = {
        Can.COMPLETE_AS_ONE_TYPES: {"leave"},
        Can.ACCEPT_A_PART: {"accept word", "accept line"},
        Can.DISMISS: {"dismiss"},
        Can.REDO: {"redo"},
    }
    wanted = {"accept", "undo", "new line"}.union(
        *(keys for can, keys in needed.items() if can not in editor.cannot)
    )
    assert wanted <= editor.keys.keys()
    assert all(editor.cannot.values())
