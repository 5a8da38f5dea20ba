"""Each file in `scenarios` is one action: the code before, what the model says, the code after.

Or several of a kind, each below `=== its name`; what stands above the first is shared by all.

task: refactor            the action to choose; further keys: language, path, diagnostic (its
language: python          range is the selection), calls (questions asked), confirm (shown first)
--- before                $0 is the cursor, $[ and $] a selection
--- open PATH             another open document; --- disk PATH: a file that is not open
--- reply                 the first model's answers, one after the other
--- reply second          the second model's; without it there is one model only
--- after | --- refused | --- created PATH | --- changed PATH | --- text
--- asked                 lines that the first question holds; --- not asked: that none does
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fake_models import FakeProvider, fake_model
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions.actions import Actions
from twotrack.engine.actions.kinds import Scope
from twotrack.engine.actions.offers import CodeActionOffer, Diagnostic, Proposal
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.errors import TwotrackError
from twotrack.languages import LANGUAGES, PLAIN
from twotrack.llm.api import Chat, Chunk
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.settings.schema import Settings
from twotrack.tasks import TASKS
from twotrack.text import Range, Snapshot

FOLDER = Path(__file__).parent / "scenarios"
RESULTS = ("after", "changed", "created", "text", "refused")


@dataclass
class Section:
    name: str
    argument: str
    text: str


@dataclass
class Scenario:
    keys: dict[str, str]
    sections: list[Section]

    def texts(self, name: str) -> list[str]:
        return [s.text for s in self.sections if s.name == name]

    def named(self, name: str) -> dict[str, str]:
        return {s.argument: s.text for s in self.sections if s.name == name}


@dataclass
class Route:
    models: tuple[str, ...]
    deadline_s: float = 10.0


@dataclass
class Outcome:
    root: Path
    offer: CodeActionOffer
    document: Document
    providers: list[FakeProvider]
    steps: list[str] = field(default_factory=list)
    proposal: Proposal | None = None
    refusal: str = ""

    def applied(self) -> dict[Path | None, str]:
        assert self.proposal is not None, self.refusal
        return {doc.path: doc.text.apply(edits).text for doc, edits in self.proposal.edits}

    def questions(self) -> list[str]:
        chats = [p for provider in self.providers for p in provider.prompts]
        return [
            "\n".join((c.system, *(m.content for m in c.messages)))
            for c in chats
            if isinstance(c, Chat)
        ]


def scenarios() -> Iterator[tuple[str, Scenario]]:
    for path in sorted(FOLDER.glob("*.txt")):
        shared, *cases = re.split(r"(?m)^=== ", path.read_text(encoding="utf-8"))
        if not cases:
            yield path.stem, read(shared)
        for case in cases:
            name, _, text = case.partition("\n")
            own, common = read(text), read(shared)
            keys = common.keys | own.keys
            yield f"{path.stem}: {name}", Scenario(keys, [*common.sections, *own.sections])


def read(text: str) -> Scenario:
    head, *rest = re.split(r"(?m)^--- ", text)
    keys = dict(line.split(": ", 1) for line in head.splitlines() if line)
    sections = []
    for part in rest:
        title, _, text = part.partition("\n")
        name = next(n for n in ("not asked", title.split()[0]) if title.startswith(n))
        sections.append(Section(name, title.removeprefix(name).strip(), text))
    return Scenario(keys, sections)


def marked(text: str) -> tuple[str, Range]:
    """Take the marks out of `text` and give the selection that they mean."""
    marks = [m.start() for m in re.finditer(r"\$[0\[\]]", text)]
    assert len(marks) == (1 if "$0" in text else 2)
    bare = re.sub(r"\$[0\[\]]", "", text)
    snapshot = Snapshot(bare)
    start, end = snapshot.position(marks[0]), snapshot.position(marks[-1] - 2 * (len(marks) - 1))
    return bare, Range(start, end)


async def play(scenario: Scenario, root: Path) -> Outcome:
    language = scenario.keys["language"]
    extension = (LANGUAGES.get(language) or PLAIN).extensions[0]
    path = root / scenario.keys.get("path", f"example{extension}")
    text, selection = marked(scenario.texts("before")[0])
    document = Document(path.as_uri(), path, language, 1, Snapshot(text))
    others = [
        Document((root / name).as_uri(), root / name, language, 1, Snapshot(code))
        for name, code in scenario.named("open").items()
    ]
    for name, code in scenario.named("disk").items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(code, newline="")
    providers = [FakeProvider(*_scripts(scenario, "")), FakeProvider(*_scripts(scenario, "second"))]
    names = ["first", "second"] if _scripts(scenario, "second") else ["first"]
    models = {n: fake_model(n, p) for n, p in zip(names, providers, strict=False)}
    task = TASKS[scenario.keys["task"]]
    settings = Settings()
    policy = PrivacyPolicy([root], settings.privacy, settings.context)
    dispatcher = Dispatcher(RoutingPolicy({task: Route(tuple(names))}, models), lambda event: None)
    actions = Actions(dispatcher, settings, policy, SyntaxCache(), [root])
    diagnostics = [Diagnostic(selection, d) for d in [scenario.keys.get("diagnostic")] if d]
    offered = actions.offers(document, selection, diagnostics)
    assert providers[0].prompts == []  # listing asks no model
    offer = next(o for o in offered if o.action.task is task)
    outcome = Outcome(
        root, CodeActionOffer.from_data(offer.to_data(), BUILT_IN), document, providers
    )
    try:
        outcome.proposal = await actions.propose(
            outcome.offer, document, others, outcome.steps.append
        )
    except TwotrackError as error:
        outcome.refusal = error.message
    return outcome


def _scripts(scenario: Scenario, model: str) -> list[list[Chunk]]:
    return [
        [Chunk(s.text.rstrip("\n")), Chunk(finish="length" if "cut" in s.argument else "stop")]
        for s in scenario.sections
        if s.name == "reply" and s.argument.replace("cut", "").strip() == model
    ]


def hold(section: Section, outcome: Outcome) -> None:
    """Compare one section with what happened."""
    proposal, there = outcome.proposal, outcome.root / section.argument
    if section.name == "refused":
        assert proposal is None
        assert section.text.strip() in outcome.refusal
        return
    assert proposal is not None, outcome.refusal
    edited, created = outcome.applied(), dict(proposal.creates)
    touched = {*edited, *created}
    allowed = {
        Scope.CODE: touched <= {outcome.document.path},
        Scope.FILES: outcome.document.path not in touched,
        Scope.NOTHING: not touched,
    }
    assert allowed[outcome.offer.action.scope]
    wanted = {
        "after": ({outcome.document.path: section.text}, {}, ""),
        "changed": ({there: section.text}, {}, ""),
        "created": ({}, {there: section.text}, ""),
        "text": ({}, {}, section.text.rstrip("\n")),
    }
    assert (edited, created, proposal.text) == wanted[section.name]


@pytest.mark.parametrize(
    "scenario", [pytest.param(scenario, id=name) for name, scenario in scenarios()]
)
async def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    outcome = await play(scenario, tmp_path)
    questions = outcome.questions()
    results = [s for s in scenario.sections if s.name in RESULTS]
    assert results
    for section in results:
        hold(section, outcome)
    for line in "".join(scenario.texts("asked")).splitlines():
        assert line in questions[0]
    for line in "".join(scenario.texts("not asked")).splitlines():
        assert not any(line in question for question in questions)
    if outcome.proposal is not None:
        assert outcome.proposal.confirm == ("confirm" in scenario.keys)
    if "calls" in scenario.keys:
        assert len(questions) == int(scenario.keys["calls"])
