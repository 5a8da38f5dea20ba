"""Write tests for a definition: in a new file, or in the one that holds its tests already."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from twotrack.context.syntax import Definition, parse
from twotrack.document import Document
from twotrack.engine.actions import python_imports, raw, script_imports, test_files
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.action_context import ActionContext
from twotrack.engine.actions.flow import ActionRequest
from twotrack.engine.actions.kinds import Kind, Scope
from twotrack.engine.actions.masking import Masked
from twotrack.engine.actions.offers import CodeActionOffer, Proposal
from twotrack.engine.actions.prompt import PromptContext, chat, free_tag
from twotrack.engine.actions.python_calls import refuse_wrong_calls
from twotrack.engine.actions.rewriting import Rewriting
from twotrack.engine.actions.script_imports import relative_module
from twotrack.engine.actions.target import Target, whole_lines
from twotrack.engine.actions.tested import Tested, module_of, package_of
from twotrack.engine.edits.compiled import LONG_NAME, tree_of
from twotrack.engine.edits.elision import refuse_elision
from twotrack.engine.edits.faults import refuse_new_faults
from twotrack.engine.edits.parse import block_of, complete
from twotrack.engine.edits.rule import Rule
from twotrack.engine.edits.wrapping import unwrapped, without_entities
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.llm.api import Mode, Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.tasks import TASKS
from twotrack.text import Position, Range, Snapshot

_WHERE = " The tests import it from `{module}`."
_SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"})
_ONE_PACKAGE = frozenset({"go", "java"})
"""Languages whose tests are in the package of what they test."""
_TESTABLE = frozenset({"function", "method", "class"})

_NOWHERE = Range(Position(0, 0), Position(0, 0))

_SYSTEM = """\
You write tests in a programmer's editor. You are given code in a <code> block.
Answer with a complete new test file in one <{tag}> block:
<{tag}>
the file
</{tag}>
Test what the code promises: the usual case, the borders, the errors. Each test stands alone, needs
no network and no clock, and can fail. Import what you use."""

_NEW = """\
Write tests for `{name}` with {framework}, as the new file {path}. The code is in \
{source}.{where}"""

_MORE = """\
The code to change is the test file {path}. Add tests for `{name}` of {source} to it, with
{framework}, in the way the file does it: imports where it has them, new tests at the end. Leave
the tests that are there as they are.{where} This is the code to test:

<code-to-test>
{code}
</code-to-test>"""


class _Test(Action):
    def offers(self, target: Target) -> Iterator[CodeActionOffer]:
        """Offer it for the definition around the cursor, unless it is a test."""
        definition, style, path = target.definition, target.language.tests, target.document.path
        if definition is None or definition.kind not in _TESTABLE or style is None or path is None:
            return
        if not test_files.is_test(path, style):
            yield self.offer(target, definition.name)

    async def request(self, context: ActionContext) -> ActionRequest:
        """Ask for a new test file, or for more tests in the one there is."""
        target, definition, path = context.target, context.target.definition, context.document.path
        style = target.language.tests
        if definition is None or style is None or path is None:
            raise TwotrackError("There is no definition here for which tests could be written.")
        span = whole_lines(target.text, definition.range)
        masked = await context.masked(target.text, span)
        present = await test_files.existing(
            path, target.language, context.roots, context.others, context.policy
        )
        tested = await asyncio.to_thread(_tested, context, definition, path)
        place = present if isinstance(present, Path) else present.path
        module = await asyncio.to_thread(_module, tested, place) if place is not None else ""
        if isinstance(present, Path):
            around = await context.around(target.text, span, masked)
            return _new_file(context, tested, present, (masked.code, around), module)
        return await _more(context, tested, present, masked, module)


def _tested(context: ActionContext, definition: Definition, path: Path) -> Tested:
    around = [
        outer
        for outer in (
            context.target.syntax.definitions() if context.target.syntax is not None else ()
        )
        if outer.code.start < definition.code.start and definition.code.end <= outer.code.end
    ]
    opened = {other.path: other.text.text for other in context.others if other.path is not None}
    return Tested(
        path,
        definition.name,
        tuple(outer.name for outer in around),
        context.target.language,
        opened | {path: context.target.text.text},
        context.roots,
    )


def _module(tested: Tested, place: Path) -> str:
    """What the tests import the code from, if the language says it by a name or a path."""
    if tested.language.id == "python":
        return module_of(tested)
    return relative_module(tested, place) if tested.language.id in _SCRIPTS else ""


def _refuse_wrong_tests(code: str, place: Path, tested: Tested) -> None:
    """Raise ReplyRejected if a test imports what is not there, or calls what it is not."""
    language = tested.language.id
    if language == "python":
        if LONG_NAME.search(code):
            raise ReplyRejected("The test file holds a name of more parts than any module has.")
        if (tree := tree_of(code)) is None:
            return  # in the syntax of a newer Python, maybe: the grammar has judged it
        python_imports.refuse_wrong_imports(tree, place, tested)
        refuse_wrong_calls(tree, tested)
    elif language in _SCRIPTS or language == "ruby":
        script_imports.refuse_wrong_imports(code, place, tested)
    elif language in _ONE_PACKAGE:
        package = package_of(tested.source)
        if package_of(code) not in (package, f"{package}_test"):
            raise ReplyRejected(f"The test file has to be in the package {package}.")


def _finding(code: str, place: Path, tested: Tested) -> str:
    """What is wrong with a test file; empty if nothing is."""
    try:
        _refuse_wrong_tests(code, place, tested)
    except ReplyRejected as finding:
        return finding.message
    return ""


async def _more(
    context: ActionContext, tested: Tested, file: Document, masked: Masked, module: str
) -> ActionRequest:
    text, language = file.text, context.target.language
    assert language.tests is not None  # noqa: S101 - request() has looked
    request = _MORE.format(
        path=context.policy.label(file),
        name=tested.name,
        source=context.policy.label(context.document),
        framework=language.tests.framework,
        code=masked.code,
        where=_WHERE.format(module=module) if module else "",
    )
    everything = whole_lines(text, Range(Position(0, 0), text.end))
    target = Target(file, language, parse(language, text), everything)
    there = replace(context, target=target)
    rewriting = Rewriting.of(there, everything, request, f"add a test for {tested.name}")
    whole = await rewriting.request()

    def read(answer: Answer, prompt: Prompt) -> Proposal:
        proposal = whole.read(answer, prompt)
        if file.path is not None:
            before = _finding(text.text, file.path, tested)
            for _, edits in proposal.edits:
                finding = _finding(text.apply(edits).text, file.path, tested)
                if finding not in ("", before):
                    raise ReplyRejected(finding)
        return proposal

    return replace(whole, read=read, shown=(file,))


def _new_file(
    context: ActionContext,
    tested: Tested,
    path: Path,
    shown: tuple[str, PromptContext],
    module: str,
) -> ActionRequest:
    language, (code, around), name = context.target.language, shown, tested.name
    assert language.tests is not None  # noqa: S101 - request() has looked
    label = context.policy.label(replace(context.document, path=path))
    framework, task = language.tests.framework, context.offer.action.task
    tag = free_tag(code)
    where = _WHERE.format(module=module) if module else ""
    request = _NEW.format(
        name=name, framework=framework, path=label, source=around.path, where=where
    )
    start = f"from {module} import {tested.bound}\n"

    def prompt_for(model: Model) -> Prompt | None:
        if raw.preferred(model):
            known = language.id == "python" and not code[:1].isspace()
            return raw.tests(code, start, framework, around) if known else None
        system = _SYSTEM.format(tag=tag)
        return chat(task, model, system, around, code=code, request=request)

    def read(answer: Answer, prompt: Prompt) -> Proposal:
        if prompt.mode is Mode.FILL:
            text = start + answer.text
        else:
            text = block_of(complete(answer.text, answer.finish), tag, "", language)
            text = unwrapped(text, "", language)
            text = without_entities(text, Snapshot(""), _NOWHERE, language)
        refuse_elision(text, "", language)
        # A secret of the code must not get into a second file: no stand-in is known here.
        whole = Masked("", "", "", {}).restored(text.strip() + "\n")
        refuse_new_faults(language, whole)
        if name not in whole:
            raise ReplyRejected(f"The test file never uses {name}.")
        _refuse_wrong_tests(whole, path, tested)
        return Proposal(context.offer.title, answer, creates={path: whole})

    return ActionRequest(task, prompt_for, read)


ACTION = _Test(
    TASKS["test"],
    "Add Tests",
    title="Write tests for {subject}",
    rule=Rule(same_headers=True, same_lines=True),
    kind=Kind.REFACTOR,
    scope=Scope.FILES,
    small_models=True,
    needs_code=False,
)
