"""Prompts for models that continue a text better than they follow instructions.

The shapes were tried on a model of 135 million parameters: a worked example or two, then the same
form left open. The open line ends without a blank, which would be a token of its own.
"""

import re
import textwrap

from twotrack.engine.actions.prompt import PromptContext
from twotrack.errors import ReplyRejected
from twotrack.languages import DocStyle
from twotrack.llm.api import Infill, Model

_SENTENCE = re.compile(r"\A.*?[.!?](?=\s|\Z)", re.DOTALL)
_MOST_CODE = 6_000
"""Characters of code; a small model loses its way in more."""

_PYTHON = '''\
def read_lines(path):
    with open(path) as file:
        return [line.strip() for line in file]

# The same with its documentation:

def read_lines(path):
    """Return the lines of a file without surrounding white space."""
    with open(path) as file:
        return [line.strip() for line in file]


'''
_BRACES = """\
function readLines(path) {
  return fs.readFileSync(path, "utf8").split("\\n").map((line) => line.trim());
}

%(sign)s The same with its documentation:

%(comment)s
function readLines(path) {
  return fs.readFileSync(path, "utf8").split("\\n").map((line) => line.trim());
}


"""
_WORDS = "Returns the lines of a file without surrounding white space."

_EXAMPLES = (
    (
        "use a list comprehension",
        (
            "def shout(words):\n    out = []\n    for word in words:\n"
            '        out.append(word + "!")\n    return out'
        ),
        'def shout(words):\n    return [word + "!" for word in words]',
    ),
    (
        "use a list comprehension",
        (
            "def short(words):\n    out = []\n    for word in words:\n        if len(word) < 4:\n"
            "            out.append(word)\n    return out"
        ),
        "def short(words):\n    return [word for word in words if len(word) < 4]",
    ),
    (
        "add type hints",
        "def half(n):\n    return n / 2",
        "def half(n: float) -> float:\n    return n / 2",
    ),
    (
        "add type hints",
        'def shout(words):\n    return [word + "!" for word in words]',
        'def shout(words: list[str]) -> list[str]:\n    return [word + "!" for word in words]',
    ),
    (
        "make it simpler",
        "def is_big(n):\n    if n > 100:\n        return True\n    else:\n        return False",
        "def is_big(n):\n    return n > 100",
    ),
    (
        "make it simpler",
        "def double(n):\n    result = n * 2\n    return result",
        "def double(n):\n    return n * 2",
    ),
    (
        "rename total to result",
        (
            "def add(numbers):\n    total = 0\n    for number in numbers:\n"
            "        total += number\n    return total"
        ),
        (
            "def add(numbers):\n    result = 0\n    for number in numbers:\n"
            "        result += number\n    return result"
        ),
    ),
    (
        "return early when the list is empty",
        "def first(items):\n    return items[0].name",
        "def first(items):\n    if not items:\n        return None\n    return items[0].name",
    ),
)
"""Tasks with code before and after. The last two serve if no other is nearer."""
_NO_SUBJECT = frozenset(
    {"a", "add", "an", "as", "it", "is", "list", "make", "of", "the", "this", "to", "use"}
)
"""Words of an instruction that do not tell what it is about."""

_REWRITING = """\
Task: {task}

Before:
```
{before}
```

After:
```
"""

_EXPLAINING = """\
What code does, in a few words.

```
def is_even(number):
    return number % 2 == 0
```
Explanation: It tells whether a number is even: it divides by two and looks whether nothing is left.

```
{code}
```
Explanation:"""

_TESTING = """\
```
def is_even(number):
    return number % 2 == 0
```

Tests with {framework}:

```
from numbers_of_mine import is_even


def test_is_even():
    assert is_even(4)
    assert not is_even(3)
```

```
{code}
```

Tests with {framework}:

```
{start}"""


def preferred(model: Model) -> bool:
    """Whether `model` is better asked in one of these shapes."""
    return model.fills and (model.capabilities.raw or not model.chats)


def _shown(code: str) -> str:
    """Return `code` at the left border, or a small model adds the class that it misses."""
    return textwrap.dedent(code.expandtabs(4)).strip()


def _continued(prefix: str, around: PromptContext, stop: tuple[str, ...], tokens: int) -> Infill:
    return Infill(prefix, "", around.path, around.language.id, (), stop, tokens)


def documentation(code: str, header: str, style: DocStyle, around: PromptContext) -> Infill | None:
    """Ask for the documentation of `code`, whose header begins with the line `header`."""
    if len(code) > _MOST_CODE:
        return None
    sign = around.language.line_comment or style.opening
    if style.inside:
        opening = f"{header.strip()}\n    {style.opening}"
        example, stop = _PYTHON, (style.closing,)
    else:
        opening = f"{style.opening}\n *" if style.closing else style.opening
        comment = f"{opening} {_WORDS}" + (f"\n {style.closing}" if style.closing else "")
        example, stop = _BRACES % {"sign": sign, "comment": comment}, ("\n",)
    shown = f"{_shown(code)}\n\n{sign} The same with its documentation:\n\n{opening}"
    return _continued(example + shown, around, stop, 60)


def words(reply: str) -> str:
    """Return the first sentence of a documentation; what a small model adds is seldom right.

    Raises ReplyRejected if there is none.
    """
    sentence = _SENTENCE.match(" ".join(reply.split()))
    if sentence is None:
        raise ReplyRejected("The answer holds no whole sentence.")
    return sentence[0]


def _subject(task: str) -> set[str]:
    return set(re.findall(r"\w+", task.lower())) - _NO_SUBJECT


def rewriting(task: str, code: str, around: PromptContext) -> Infill | None:
    """Ask for `code` changed as `task` says."""
    if len(code) > _MOST_CODE:
        return None
    wanted = _subject(task)
    nearest = sorted(_EXAMPLES, key=lambda example: len(_subject(example[0]) & wanted))[-2:]
    examples = (
        f"{_REWRITING.format(task=done, before=before)}{after}\n```\n\n"
        for done, before, after in nearest
    )
    prefix = "".join(examples) + _REWRITING.format(task=task, before=_shown(code))
    return _continued(prefix, around, ("```",), len(code) // 2 + 100)


def explanation(code: str, around: PromptContext) -> Infill | None:
    """Ask what `code` does."""
    if len(code) > _MOST_CODE:
        return None
    return _continued(_EXPLAINING.format(code=_shown(code)), around, ("\n\n", "```"), 120)


def tests(code: str, start: str, framework: str, around: PromptContext) -> Infill | None:
    """Ask for tests of `code`, which is Python; `start` is the line that the answer continues."""
    if len(code) > _MOST_CODE:
        return None
    prefix = _TESTING.format(framework=framework, code=_shown(code), start=start)
    return _continued(prefix, around, ("```",), 200)
