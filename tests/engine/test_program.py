"""The code that a cursor stands in: blocks of Markdown, texts with a byte order mark."""

from dataclasses import replace
from pathlib import Path

import pytest

from before_after import CURSOR, at_cursor
from completion_desk import Desk, accepted, quick, request, says
from fake_models import fake_model
from twotrack.document import Document, Notebook
from twotrack.engine.asked import CompletionRequest
from twotrack.engine.program import program_at
from twotrack.llm.api import Infill
from twotrack.text import BOM, Edit, Range, Snapshot

TUTORIAL = """\
# Areas

```python
import math
```

A circle, and in the shell:

```sh
echo "area"
```

```python
def circle(r):
    return $0
```

Done.
"""
CODE = "import math\n\ndef circle(r):\n    return $0\n"


def program(marked: str, language: str = "markdown") -> tuple[str, str]:
    """The code around the mark, with the mark in it, and its language."""
    document, position = at_cursor(marked, language)
    code, inner, *_ = program_at(document, position)
    return code.text.apply([Edit(Range(inner, inner), CURSOR)]).text, code.language


def test_the_blocks_of_one_language_are_one_program() -> None:
    assert program(TUTORIAL) == (CODE, "python")


def test_a_block_within_a_list_keeps_its_indentation() -> None:
    assert program("- a\n\n  ```js\n  let x = $0\n  ```\n") == ("  let x = $0\n", "javascript")


def test_a_block_that_nothing_closes_ends_where_another_one_begins() -> None:
    assert program("```c\nint x = $0\n\n```sh\nls\n```\n") == ("int x = $0\n\n", "c")


@pytest.mark.parametrize(
    "marked", ["Text $0", "```python\nx\n```$0\n", "```\nx = $0\n```\n", "```py$0\nx\n```\n", "$0"]
)
def test_what_stands_in_no_block_is_the_document(marked: str) -> None:
    assert program(marked) == (marked, "markdown")


def test_other_languages_have_no_blocks() -> None:
    marked = '"""\n```js\nlet x = $0\n```\n"""\n'
    assert program(marked, "python") == (marked, "python")


async def test_what_is_proposed_goes_into_the_document() -> None:
    answer = "math.pi * r**2"
    accepted = await Desk(quick(answer)).accept(TUTORIAL, language="markdown")
    assert accepted == TUTORIAL.replace(CURSOR, answer + CURSOR)


async def test_what_was_proposed_is_known_in_the_block() -> None:
    desk = Desk(quick("math.pi * r**2"))
    await desk.complete(TUTORIAL, language="markdown")
    typed = TUTORIAL.replace("$0", "math.$0")
    assert desk.lookup(typed, language="markdown") == TUTORIAL.replace("$0", "math.pi * r**2$0")


# -- a byte order mark ---------------------------------------------------------------------------


@pytest.mark.parametrize("marked", ["x = $0\n", "$0", "a = 1\nx = $0\n"])
async def test_a_byte_order_mark_is_no_part_of_the_code(marked: str) -> None:
    provider = says("1")
    desk = Desk(fake_model("quick", provider))
    assert await desk.accept(BOM + marked, invoked=True) == BOM + marked.replace("$0", "1$0")
    [prompt] = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.prefix == marked.partition("$0")[0]


async def test_a_cursor_before_the_mark_stands_behind_it() -> None:
    completion = await Desk(quick("x")).complete(f"$0{BOM}\n", invoked=True)
    assert completion is not None
    assert completion.range.start == (0, 0)


async def test_a_byte_order_mark_of_another_file_is_not_sent() -> None:
    provider = says("1")
    text = at_cursor(f"{BOM}def area(width):\n    return width$0\n")[0].text
    other = Document("file:///b.py", None, "python", 1, text)
    await Desk(fake_model("quick", provider)).complete("area(width$0", others=[other])
    [prompt] = provider.prompts
    assert isinstance(prompt, Infill)
    assert [excerpt.text[:8] for excerpt in prompt.excerpts] == ["def area"]


# -- notebooks -----------------------------------------------------------------------------------


def in_notebook(marked: str, above: tuple[str, ...], below: tuple[str, ...]) -> CompletionRequest:
    """A request in a cell with code around it."""
    asked = request(marked)
    around = (tuple(map(Snapshot, cells)) for cells in (above, below))
    notebook = Notebook(Path("/w/a.ipynb"), *around)
    return replace(asked, document=replace(asked.document, notebook=notebook))


async def test_the_cells_around_are_part_of_the_prompt() -> None:
    provider = says("return width * height")
    completer = Desk(fake_model("quick", provider)).completer
    marked = "def area(width, height):\n    $0"
    asked = in_notebook(marked, ("import math\n", "width = 3"), ("area(1, 2)\n",))
    completion = await completer.complete(asked)
    assert completion is not None
    assert accepted(marked, completion) == marked.replace("$0", "return width * height$0")
    [prompt] = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.prefix == "import math\n\n\nwidth = 3\n\ndef area(width, height):\n    "
    assert prompt.suffix == "\n\narea(1, 2)\n\n"
    known = completer.lookup(asked)
    assert known is not None
    assert (known.text, known.range) == (completion.text, completion.range)


async def test_another_cell_above_is_another_place() -> None:
    provider = says("1")
    completer = Desk(fake_model("quick", provider)).completer
    for above in ("a = 1", "a = 2"):
        await completer.complete(in_notebook("x = $0", (above,), ()))
    assert len(provider.prompts) == 2
