"""Write tests for a definition: in a new file, or in the one that holds its tests already."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from twotrack.context.syntax import parse
from twotrack.document import Document
from twotrack.engine.actions import raw, test_files
from twotrack.engine.actions.flow import Job
from twotrack.engine.actions.masking import Masked
from twotrack.engine.actions.offers import Offer, Proposal
from twotrack.engine.actions.prompt import chat, free_tag
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.scene import Scene
from twotrack.engine.actions.view import View, whole_lines
from twotrack.engine.edits.elision import refuse_elision
from twotrack.engine.edits.parse import block_of, complete
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.llm.api import Infill, Model, Prompt
from twotrack.routing.dispatch import Answer
from twotrack.tasks import Task
from twotrack.text import Position, Range, Snapshot

_TESTABLE = frozenset({"function", "method", "class"})

_SYSTEM = """\
You write tests in a programmer's editor. You are given code in a <code> block.
Answer with a complete new test file in one <{tag}> block:
<{tag}>
the file
</{tag}>
Test what the code promises: the usual case, the borders, the errors. Each test stands alone, needs
no network and no clock, and can fail. Import what you use."""

_NEW = """\
Write tests for `{name}` with {framework}, as the new file {path}. The code is in {source}."""

_MORE = """\
The code to change is the test file {path}. Add tests for `{name}` of {source} to it, with
{framework}, in the way the file does it: imports where it has them, new tests at the end. Leave
the tests that are there as they are. This is the code to test:

<code-to-test>
{code}
</code-to-test>"""


def offers(view: View) -> Iterator[Offer]:
    """Offer it for the definition around the cursor, unless it is a test."""
    definition, style, path = view.definition, view.language.tests, view.document.path
    if definition is None or definition.kind not in _TESTABLE or style is None or path is None:
        return
    if not test_files.is_test(path, style):
        yield Offer(Task.TEST, f"Write tests for {definition.name}", view.selection)


async def job(scene: Scene) -> Job:
    """Ask for a new test file, or for more tests in the one there is."""
    view, definition, path = scene.view, scene.view.definition, scene.document.path
    style = view.language.tests
    if definition is None or style is None or path is None:
        raise TwotrackError("There is no definition here for which tests could be written.")
    span = whole_lines(view.text, definition.range)
    masked = scene.masked(view.text, span)
    found = await test_files.existing(path, view.language, scene.roots, scene.others, scene.shield)
    if isinstance(found, Path):
        return _new_file(scene, definition.name, found, span, masked)
    return _more(scene, definition.name, found, masked)


def _more(scene: Scene, name: str, file: Document, masked: Masked) -> Job:
    text, language = file.text, scene.view.language
    assert language.tests is not None  # noqa: S101 - job() has looked
    request = _MORE.format(
        path=scene.shield.label(file),
        name=name,
        source=scene.shield.label(scene.document),
        framework=language.tests.framework,
        code=masked.code,
    )
    everything = whole_lines(text, Range(Position(0, 0), text.end))
    view = View(file, language, parse(language, text), everything)
    there = replace(scene, view=view)
    return Rewriting.of(there, everything, request, f"add a test for {name}").job()


def _new_file(scene: Scene, name: str, path: Path, span: Range, masked: Masked) -> Job:
    language, code = scene.view.language, masked.code
    around = scene.around(scene.view.text, span, masked)
    assert language.tests is not None  # noqa: S101 - job() has looked
    label = scene.shield.label(replace(scene.document, path=path))
    framework = language.tests.framework
    tag = free_tag(code)
    request = _NEW.format(name=name, framework=framework, path=label, source=around.path)
    start = f"from {Path(around.path).stem} import {name}\n"

    def prompt_for(model: Model) -> Prompt | None:
        if raw.preferred(model):
            known = language.id == "python" and not code[:1].isspace()
            return raw.tests(code, start, framework, around) if known else None
        if not model.capabilities.chat:
            return None
        system = _SYSTEM.format(tag=tag)
        return chat(Task.TEST, model, system, around, code=code, request=request)

    def read(answer: Answer, prompt: Prompt) -> Proposal:
        if isinstance(prompt, Infill):
            text = start + answer.text
        else:
            text = block_of(complete(answer.text, answer.finish), tag)
        refuse_elision(text, "")
        # A secret of the code must not get into a second file: no stand-in is known here.
        whole = Masked("", "", "", {}).restored(text.strip() + "\n")
        syntax = parse(language, Snapshot(whole))
        if syntax is not None and syntax.has_error:
            line = syntax.errors()[0].start.line + 1
            raise ReplyRejected(f"The test file does not parse (line {line}).")
        if name not in whole:
            raise ReplyRejected(f"The test file never uses {name}.")
        return Proposal(scene.offer.title, answer, creates={path: whole})

    return Job(Task.TEST, prompt_for, read)
