"""Asking, repairing, escalating: at most three questions, each with a reason."""

import asyncio
import gc
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fake_models import FakeProvider, fake_model
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions import raw
from twotrack.engine.actions.actions import Actions
from twotrack.engine.actions.flow import ActionRequest, run
from twotrack.engine.actions.offers import CodeActionOffer, Proposal
from twotrack.engine.actions.prompt import PromptContext
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.errors import ReplyRejected, RouteExhausted, TwotrackError, Unreachable
from twotrack.languages import language_of
from twotrack.llm.api import Capabilities, Chat, Chunk, Infill, Message, Mode, Model, Prompt
from twotrack.routing.ask import Answer
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.routes import Route
from twotrack.settings.schema import ContextSettings, PrivacySettings, Settings
from twotrack.tasks import TASKS, Task
from twotrack.text import BOM, Position, Range, Snapshot

CODE = "def f(a):\n    if a:\n        return 1\n    return 2\n"
GOOD = "<answer>\ndef f(a):\n    return 1 if a else 2\n</answer>"
HERE = Position(1, 4)
BROKEN = "<answer>\ndef f(a:\n    return 1 if a else 2\n</answer>"


async def propose(
    root: Path,
    models: Sequence[Model],
    *,
    code: str = CODE,
    task: Task = TASKS["simplify"],
    settings: Settings | None = None,
    others: Sequence[Document] = (),
    steps: list[str] | None = None,
    at: Position = HERE,
    name: str = "a.py",
) -> Proposal:
    settings = settings or Settings()
    policy = PrivacyPolicy([root], settings.privacy, settings.context)
    route = Route(task, tuple(model.name for model in models), 10.0, "")
    dispatcher = Dispatcher(
        RoutingPolicy({task: route}, {m.name: m for m in models}), lambda event: None
    )
    actions = Actions(dispatcher, settings, policy, SyntaxCache(), [root])
    document = Document((root / name).as_uri(), root / name, "", 1, Snapshot(code))
    offer = CodeActionOffer(BUILT_IN[task], "The action", Range(at, at))
    note = (steps if steps is not None else []).append
    return await actions.propose(offer, document, others, note)


def applied(proposal: Proposal) -> str:
    ((document, edits),) = proposal.edits
    return document.text.apply(edits).text


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (2, "inside what looks like a secret"),
        pytest.param(20_000, "more code than any model of the route", marks=pytest.mark.slow),
    ],
)
async def test_code_that_no_model_has_room_for_is_not_looked_at(
    tmp_path: Path, lines: int, refusal: str
) -> None:
    begin, body = "-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA7" * 8
    code = "def f():\n" + "    x = 1\n" * lines + f"    k = '{begin}\\n'\n'{body}'\n"
    provider = FakeProvider([GOOD])
    with pytest.raises(TwotrackError, match=refusal):
        await propose(tmp_path, [fake_model("a", provider, infill=False)], code=code)
    assert not provider.prompts


async def test_a_good_answer_costs_one_question(tmp_path: Path) -> None:
    provider, steps = FakeProvider([GOOD]), list[str]()
    proposal = await propose(tmp_path, [fake_model("a", provider)], steps=steps)
    assert applied(proposal) == "def f(a):\n    return 1 if a else 2\n"
    assert proposal.origin.model == "a"
    assert proposal.title == "The action"
    assert steps == ["asking the model"]
    assert len(provider.prompts) == 1


async def test_answers_that_are_still_read_keep_no_thread_from_others(tmp_path: Path) -> None:
    """There are few threads for all, and what runs in one goes on when nobody wants it."""
    read, done = threading.Event(), threading.Event()

    def slowly(_answer: Answer, _prompt: Prompt) -> Proposal:
        read.set()
        done.wait()
        raise ReplyRejected("No.")

    task = TASKS["simplify"]
    route = Route(task, ("a",), 10.0, "")
    model = fake_model("a", FakeProvider([GOOD]))
    dispatcher = Dispatcher(RoutingPolicy({task: route}, {"a": model}), lambda event: None)
    request = ActionRequest(task, lambda _: Chat("", (Message("user", "x"),)), slowly)
    asked = [asyncio.create_task(run(dispatcher, request, lambda _: None)) for _ in range(50)]
    try:
        await asyncio.to_thread(read.wait)
        for each in asked:
            each.cancel()
        assert await asyncio.to_thread(lambda: "a turn") == "a turn"
    finally:
        done.set()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_no_full_round_of_the_collector_is_made_while_an_answer_is_read() -> None:
    """It would stop all threads for as long as it looks at what the reading holds."""
    before, during = gc.get_threshold(), []

    def read(_answer: Answer, _prompt: Prompt) -> Proposal:
        rounds = gc.get_stats()[2]["collections"]
        held = [[number] for number in range(200_000)]
        during.append(gc.get_stats()[2]["collections"] - rounds)
        raise ReplyRejected(f"{len(held)} of them.")

    task = TASKS["simplify"]
    route = Route(task, ("a",), 10.0, "")
    model = fake_model("a", FakeProvider([GOOD, GOOD]))
    dispatcher = Dispatcher(RoutingPolicy({task: route}, {"a": model}), lambda event: None)
    request = ActionRequest(task, lambda _: Chat("", (Message("user", "x"),)), read)
    with pytest.raises(ReplyRejected):
        await run(dispatcher, request, lambda _: None)
    assert during == [0, 0]
    assert gc.get_threshold() == before


async def test_a_broken_answer_is_repaired_with_the_finding_shown(tmp_path: Path) -> None:
    provider, steps = FakeProvider([BROKEN], [GOOD]), list[str]()
    await propose(tmp_path, [fake_model("a", provider)], steps=steps)
    first, second = provider.prompts
    assert isinstance(first, Chat)
    assert isinstance(second, Chat)
    assert second.system == first.system
    assert second.messages[:1] == first.messages  # the head stays: what is cached is hit
    assert second.messages[1] == Message("assistant", BROKEN)
    assert "does not parse (line 1 of it)" in second.messages[2].content
    assert steps[1].startswith("asking again: The changed code does not parse")


async def test_the_next_model_starts_anew_after_the_repair(tmp_path: Path) -> None:
    first, second = FakeProvider([BROKEN]), FakeProvider([GOOD])
    proposal = await propose(tmp_path, [fake_model("a", first), fake_model("b", second)])
    assert proposal.origin.model == "b"
    assert len(first.prompts) == 2
    (fresh,) = second.prompts
    assert isinstance(fresh, Chat)
    assert len(fresh.messages) == 1


async def test_three_questions_are_the_most(tmp_path: Path) -> None:
    providers = [FakeProvider([BROKEN]) for _ in range(3)]
    models = [fake_model(name, p) for name, p in zip("abc", providers, strict=True)]
    with pytest.raises(ReplyRejected, match=r"does not parse.*nothing was changed"):
        await propose(tmp_path, models)
    assert [len(p.prompts) for p in providers] == [2, 1, 0]


async def test_a_model_that_fails_is_not_a_bad_answer(tmp_path: Path) -> None:
    gone = FakeProvider([Unreachable("a", "refused.")])
    proposal = await propose(
        tmp_path, [fake_model("a", gone), fake_model("b", FakeProvider([GOOD]))]
    )
    assert proposal.origin.model == "b"


async def test_without_any_model_the_route_says_so(tmp_path: Path) -> None:
    with pytest.raises(RouteExhausted, match="simplify"):
        await propose(tmp_path, [])


async def test_recall_follows_no_instruction(tmp_path: Path) -> None:
    provider = FakeProvider(["x"])
    with pytest.raises(RouteExhausted):
        await propose(tmp_path, [fake_model("recall", provider, retrieval=True)])
    assert provider.prompts == []


# What is sent


def weak(provider: FakeProvider) -> Model:
    can = Capabilities(suffix=False, raw=True, local=True, context_window=4096)
    return Model("tiny", "tiny-1", {Mode.FILL: provider, Mode.CHAT: provider}, can)


async def rewrite(root: Path, *models: Model) -> Proposal:
    code = f"# ai: use one line\n{CODE}"
    return await propose(root, models, code=code, task=TASKS["refactor"], at=Position(0, 0))


async def test_a_weak_model_continues_a_text(tmp_path: Path) -> None:
    provider = FakeProvider(["def f(a):\n    return 1 if a else 2\n"])
    proposal = await rewrite(tmp_path, weak(provider))
    assert applied(proposal) == "def f(a):\n    return 1 if a else 2\n"
    (prompt,) = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.prefix.endswith(f"Task: use one line\n\nBefore:\n```\n{CODE}```\n\nAfter:\n```\n")
    assert prompt.stop == ("```",)


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        ("Write it as a list comprehension", ["use a list comprehension"] * 2),
        ("add type annotations", ["add type hints"] * 2),
        ("rename a to b", ["return early when the list is empty", "rename total to result"]),
        ("use one line", ["rename total to result", "return early when the list is empty"]),
    ],
)
def test_a_weak_model_is_shown_what_is_nearest_to_the_task(task: str, shown: list[str]) -> None:
    prompt = raw.rewriting(task, CODE, PromptContext("a.py", language_of("python", Path("a.py"))))
    assert prompt is not None
    assert re.findall("^Task: (.*)", prompt.prefix, re.MULTILINE) == [*shown, task]


async def test_a_weak_model_is_not_talked_with_but_passed_over(tmp_path: Path) -> None:
    tiny, strong = FakeProvider(["nonsense("]), FakeProvider([GOOD])
    proposal = await rewrite(tmp_path, weak(tiny), fake_model("b", strong))
    assert proposal.origin.model == "b"
    assert (len(tiny.prompts), len(strong.prompts)) == (1, 1)


async def test_a_weak_model_does_not_simplify(tmp_path: Path) -> None:
    tiny, strong = FakeProvider(["x"]), FakeProvider([GOOD])
    proposal = await propose(tmp_path, [weak(tiny), fake_model("b", strong)])
    assert proposal.origin.model == "b"
    assert tiny.prompts == []


async def test_a_weak_model_gets_a_method_at_the_left_border(tmp_path: Path) -> None:
    code = "class A:\n    def f(self):\n        # ai: return 2\n        return 1\n"
    provider = FakeProvider(["def f(self):\n    return 2\n"])
    proposal = await propose(
        tmp_path, [weak(provider)], code=code, task=TASKS["refactor"], at=Position(2, 9)
    )
    assert applied(proposal) == "class A:\n    def f(self):\n        return 2\n"
    (prompt,) = provider.prompts
    assert isinstance(prompt, Infill)
    assert "```\ndef f(self):\n    return 1\n```" in prompt.prefix


async def test_a_weak_model_documents_in_one_sentence(tmp_path: Path) -> None:
    provider = FakeProvider([" Return one\n    or two. And then some more that"])
    proposal = await propose(tmp_path, [weak(provider)], task=TASKS["document"])
    assert applied(proposal).startswith('def f(a):\n    """Return one or two."""\n    if a:\n')
    (prompt,) = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.prefix.endswith('\n\ndef f(a):\n    """')


@pytest.mark.parametrize(
    ("name", "code", "opening", "wanted"),
    [
        ("a.ts", "const f = () => 1;\n", "\n\n/**\n *", "/** Gives one. */\n"),
        ("a.go", "func f() int { return 1 }\n", "\n\n//", "// Gives one.\n"),
        ("a.rs", "fn f() -> u32 { 1 }\n", "\n\n///", "/// Gives one.\n"),
        ("a.rb", "def f\n  1\nend\n", "\n\n#", "# Gives one.\n"),
    ],
)
async def test_a_weak_model_documents_in_the_style_of_the_language(
    tmp_path: Path, name: str, code: str, opening: str, wanted: str
) -> None:
    provider = FakeProvider([" Gives one. It"])
    proposal = await propose(
        tmp_path,
        [weak(provider)],
        code=code,
        name=name,
        task=TASKS["document"],
        at=Position(0, 6 if name == "a.ts" else 0),
    )
    assert applied(proposal) == wanted + code
    (prompt,) = provider.prompts
    assert isinstance(prompt, Infill)
    assert prompt.prefix.endswith(opening)
    assert prompt.stop == ("\n",)


@pytest.mark.parametrize(
    "task", [TASKS["document"], TASKS["refactor"], TASKS["explain"], TASKS["test"]]
)
async def test_a_weak_model_is_spared_long_code(tmp_path: Path, task: Task) -> None:
    code = "# ai: x\ndef f(a):\n" + "    b = a + a + a + a + a + a + a + a\n" * 180
    with pytest.raises(RouteExhausted):
        await propose(
            tmp_path, [weak(FakeProvider(["x"]))], code=code, task=task, at=Position(0, 0)
        )


async def test_an_unfinished_sentence_of_a_weak_model_is_no_documentation(tmp_path: Path) -> None:
    with pytest.raises(ReplyRejected, match="no whole sentence"):
        await propose(tmp_path, [weak(FakeProvider([" Gives one or"]))], task=TASKS["document"])


async def test_an_explanation_that_was_cut_says_so(tmp_path: Path) -> None:
    provider = FakeProvider([Chunk("It gives"), Chunk(finish="length")])
    proposal = await propose(tmp_path, [fake_model("a", provider)], task=TASKS["explain"])
    assert proposal.text == "It gives\n\n(cut off)"


async def test_no_explanation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplyRejected, match="explained nothing"):
        await propose(tmp_path, [fake_model("a", FakeProvider([" \n"]))], task=TASKS["explain"])


async def test_a_weak_model_explains_and_writes_tests(tmp_path: Path) -> None:
    said = await propose(tmp_path, [weak(FakeProvider([" It decides.\n"]))], task=TASKS["explain"])
    assert said.text == "It decides."
    tests = await propose(
        tmp_path,
        [weak(FakeProvider(["\n\ndef test_f():\n    assert f(1) == 1\n"]))],
        task=TASKS["test"],
    )
    assert tests.creates == {
        tmp_path / "tests/test_a.py": "from a import f\n\n\ndef test_f():\n    assert f(1) == 1\n"
    }


async def test_a_model_with_too_small_a_window_is_not_asked(tmp_path: Path) -> None:
    can = Capabilities(context_window=200)
    with pytest.raises(RouteExhausted):
        await propose(tmp_path, [Model("small", "s", {Mode.CHAT: FakeProvider([GOOD])}, can)])


async def test_what_stands_around_is_left_out_where_there_is_no_room(tmp_path: Path) -> None:
    code = "x = 1\n" * 40 + CODE
    wide, narrow = FakeProvider([GOOD]), FakeProvider([GOOD])
    await propose(tmp_path, [fake_model("wide", wide)], code=code, at=Position(41, 4))
    (all_of_it,) = wide.prompts
    assert isinstance(all_of_it, Chat)
    assert "<before>" in all_of_it.messages[0].content
    tokens = len(all_of_it.system + all_of_it.messages[0].content) / 4.4
    can = Capabilities(context_window=int(2 * tokens))  # half of it is for the answer
    model = Model("n", "n", {Mode.CHAT: narrow}, can)
    await propose(tmp_path, [model], code=code, at=Position(41, 4))
    (less,) = narrow.prompts
    assert isinstance(less, Chat)
    assert "<before>" not in less.messages[0].content
    assert CODE.strip() in less.messages[0].content


async def test_of_what_stands_around_a_line_of_data_is_left_out(tmp_path: Path) -> None:
    data = f"DATA = '{'0 ' * 100_000}'\n"
    code = f"{data}near = 1\n\n\n{CODE}\n\nfar = 2\n{data}"
    provider = FakeProvider([GOOD])
    await propose(tmp_path, [fake_model("a", provider)], code=code, at=Position(5, 4))
    sent = "".join(provider.prompts[0].texts)
    assert "near = 1" in sent
    assert "far = 2" in sent
    assert "DATA" not in sent


async def test_long_code_is_asked_for_in_blocks(tmp_path: Path) -> None:
    body = "".join(f"    b = a + {n}\n" for n in range(250))
    provider = FakeProvider(
        ["<<<<<<< SEARCH\n    b = a + 7\n=======\n    b = a + 700\n>>>>>>> REPLACE"]
    )
    code = f"def f(a):\n{body}    return b\n"
    proposal = await propose(tmp_path, [fake_model("a", provider)], code=code)
    assert applied(proposal) == code.replace("+ 7\n", "+ 700\n")
    (prompt,) = provider.prompts
    assert isinstance(prompt, Chat)
    assert "<<<<<<< SEARCH" in prompt.system


async def test_a_place_found_loosely_is_to_be_confirmed(tmp_path: Path) -> None:
    reply = (
        "<<<<<<< SEARCH\n if a:\n     return 1\n=======\n if not a:\n     return 3\n>>>>>>> REPLACE"
    )
    proposal = await propose(tmp_path, [fake_model("a", FakeProvider([reply]))])
    assert proposal.confirm
    assert applied(proposal) == CODE.replace("if a", "if not a").replace("return 1", "return 3")


async def test_rules_and_other_documents_go_along(tmp_path: Path) -> None:
    (tmp_path / "RULES.md").write_text("Use no abbreviations.")
    other = Document(
        (tmp_path / "b.py").as_uri(),
        tmp_path / "b.py",
        "python",
        1,
        Snapshot("def convert_currency(amount):\n    return amount\n"),
    )
    code = "def f(a):\n    return convert_currency(a)\n"
    provider = FakeProvider(["<answer>\ndef f(a):\n    return convert_currency(a=a)\n</answer>"])
    settings = Settings(context=ContextSettings(rules=("RULES.md",)))
    await propose(
        tmp_path, [fake_model("a", provider)], code=code, settings=settings, others=[other]
    )
    (prompt,) = provider.prompts
    assert isinstance(prompt, Chat)
    assert prompt.messages[0].content.startswith("<project-rules>\nUse no abbreviations.")
    assert '<file path="b.py">\ndef convert_currency(amount):' in prompt.messages[0].content


@pytest.mark.parametrize(
    "excluded", [PrivacySettings(exclude=("*.py",)), PrivacySettings(exclude=("/a.py",))]
)
async def test_an_excluded_file_is_refused(tmp_path: Path, excluded: PrivacySettings) -> None:
    provider = FakeProvider([GOOD])
    with pytest.raises(TwotrackError, match="ignored or excluded"):
        await propose(tmp_path, [fake_model("a", provider)], settings=Settings(privacy=excluded))
    assert provider.prompts == []


async def test_secrets_are_sent_only_where_the_user_wants_it(tmp_path: Path) -> None:
    code = 'def f(a):\n    key = "sk-ant-abcdefghijklmnopqrstuvwxyz0123456789"\n    return g(key)\n'
    for redact, shown in ((True, False), (False, True)):
        key = "<redacted-1>" if redact else "sk-ant-abcdefghijklmnopqrstuvwxyz0123456789"
        provider = FakeProvider([f'<answer>\ndef f(a):\n    return g("{key}")\n</answer>'])
        settings = Settings(privacy=PrivacySettings(redact=redact))
        await propose(tmp_path, [fake_model("a", provider)], code=code, settings=settings)
        assert ("sk-ant" in str(provider.prompts)) is shown


# What comes back


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("around", ["", "# 🐍 \f\u2028\n\n"])
async def test_line_ends_and_the_end_of_the_file_stay(
    tmp_path: Path, eol: str, end: str, around: str
) -> None:
    code = (around + CODE.removesuffix("\n") + end).replace("\n", eol)
    line = Snapshot(around.replace("\n", eol)).line_count
    provider = FakeProvider([GOOD])
    proposal = await propose(tmp_path, [fake_model("a", provider)], code=code, at=Position(line, 4))
    wanted = around + "def f(a):\n    return 1 if a else 2" + end
    assert applied(proposal) == wanted.replace("\n", eol)


async def test_an_edit_takes_the_line_end_of_its_neighbourhood(tmp_path: Path) -> None:
    head, code = "# one\r\n# two\r\n\n", "def f(a): return g(a)\n"
    provider = FakeProvider(["<answer>\ndef f(a):\n    return g(a) or 1\n</answer>"])
    models = [fake_model("a", provider)]
    proposal = await propose(tmp_path, models, code=head + code, at=Position(3, 4))
    assert applied(proposal) == head + "def f(a):\n    return g(a) or 1\n"


@pytest.mark.parametrize("head", ["", "import os\n\n\n"])
async def test_a_byte_order_mark_stays_and_is_not_sent(tmp_path: Path, head: str) -> None:
    provider = FakeProvider([GOOD])
    models, line = [fake_model("a", provider)], head.count("\n")
    proposal = await propose(
        tmp_path, models, code=f"{BOM}{head}{CODE}", at=Position(line, 4 + (line == 0))
    )
    assert applied(proposal) == f"{BOM}{head}def f(a):\n    return 1 if a else 2\n"
    assert BOM not in str(provider.prompts)


async def test_code_that_uses_the_tag_gets_another(tmp_path: Path) -> None:
    code = 'def f(a):\n    if a:\n        return "</answer>"\n    return ""\n'
    reply = '<answer-2>\ndef f(a):\n    return "</answer>" if a else ""\n</answer-2>'
    proposal = await propose(tmp_path, [fake_model("a", FakeProvider([reply]))], code=code)
    assert applied(proposal) == 'def f(a):\n    return "</answer>" if a else ""\n'


async def test_a_document_that_changed_below_the_offer_is_no_crash(tmp_path: Path) -> None:
    for code in ("", "\n"):
        with pytest.raises(TwotrackError):
            await propose(tmp_path, [fake_model("a", FakeProvider([GOOD]))], code=code)
        for task in (TASKS["document"], TASKS["test"], TASKS["refactor"]):
            with pytest.raises(TwotrackError):
                await propose(
                    tmp_path, [fake_model("a", FakeProvider([GOOD]))], code=code, task=task
                )


@pytest.mark.parametrize(
    ("first", "again", "kept"),
    [
        ("It adds.\n\n", "It gives the sum of both.\n\n", "It adds.\n\nIt gives the sum of both."),
        ("It adds. ", "It gives the sum of both. ", "It adds. It gives the sum of both."),
        ("It adds ", "more and ", "It adds more and"),
    ],
)
async def test_an_explanation_ends_where_it_goes_round(
    tmp_path: Path, first: str, again: str, kept: str
) -> None:
    provider = FakeProvider([first, *[again] * 30, AssertionError("it was not ended")])
    proposal = await propose(tmp_path, [fake_model("a", provider)], task=TASKS["explain"])
    assert proposal.text == kept
    assert provider.open == 0


async def test_thoughts_that_went_round_do_not_end_the_explanation(tmp_path: Path) -> None:
    provider = FakeProvider(
        ["<think>", *["So be it. "] * 30, "</think>", "It ", "adds.", Chunk(finish="stop")]
    )
    proposal = await propose(tmp_path, [fake_model("a", provider)], task=TASKS["explain"])
    assert proposal.text == "It adds."


async def test_an_explanation_that_only_lists_goes_on_to_its_end(tmp_path: Path) -> None:
    text = "It adds:\n\n- `a`: the first\n- `b`: the first\n\n```python\nf(1)\nf(1)\n```\n\nBoth."
    provider = FakeProvider(
        [*(text[i : i + 4] for i in range(0, len(text), 4)), Chunk(finish="stop")]
    )
    proposal = await propose(tmp_path, [fake_model("a", provider)], task=TASKS["explain"])
    assert proposal.text == text
