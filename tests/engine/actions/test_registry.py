"""What an action needs besides its own file and its row: nothing, or one of these says so.

docs/recipes/action.md is the recipe.
"""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from fake_models import FakeProvider, fake_model
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions import registry
from twotrack.engine.actions.action import Action
from twotrack.engine.actions.actions import Actions
from twotrack.engine.actions.kinds import Kind
from twotrack.engine.actions.offers import CodeActionOffer
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.errors import ReplyRejected, TwotrackError
from twotrack.llm.api import Chat
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.routing.routes import resolve
from twotrack.settings.schema import Settings
from twotrack.tasks import ACTIONS, TASKS, Task, Track
from twotrack.text import Position, Range, Snapshot

ROOM = Path(registry.__file__).parent
SCENARIOS = Path(__file__).parent / "scenarios"
RECIPE = (Path(__file__).parents[3] / "docs" / "recipes" / "action.md").read_text()


def declaring() -> set[str]:
    """Return the files that declare an action, without their ending."""
    files = ROOM.glob("*.py")
    return {f.stem for f in files if re.search(r"^ACTION = ", f.read_text(), re.MULTILINE)}


def test_every_file_has_a_row_and_every_row_a_file() -> None:
    rows = {task.replace("-", "_") for task in ACTIONS}
    assert declaring() == rows, f"a file of {ROOM} with an ACTION needs a row in tasks.ACTIONS"


def test_a_file_declares_the_action_of_its_own_row() -> None:
    assert set(BUILT_IN) == set(ACTIONS)
    assert all(name == action.task for name, action in BUILT_IN.items())


def test_what_asks_for_something_particular_is_offered_first() -> None:
    assert list(BUILT_IN)[:2] == ["fix", "refactor"]
    kinds = [list(Kind).index(action.kind) for action in list(BUILT_IN.values())[2:]]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("action", BUILT_IN.values(), ids=str)
def test_an_action_has_scenarios(action: Action) -> None:
    said = f"write {SCENARIOS}/{action.task}.txt: what a model answers, and what becomes of it"
    texts = (path.read_text() for path in SCENARIOS.glob("*.txt"))
    assert any(re.search(rf"^task: {action.task}$", text, re.MULTILINE) for text in texts), said


def test_labels_differ() -> None:
    assert len({action.label for action in BUILT_IN.values()}) == len(BUILT_IN)


def of_recipe() -> Action:
    """Return the action that docs/recipes/action.md declares, made of its row and its file."""
    found = re.findall(r"(?:^ {7}.*\n|^\n(?= {7}))+", RECIPE, re.MULTILINE)
    row, file = map(textwrap.dedent, found)
    code = f"ROW = {row.strip().rstrip(',')}\n" + file.replace('TASKS["annotate"]', "ROW")
    scope: dict[str, Any] = {"Task": Task, "Track": Track}
    exec(code, scope)  # noqa: S102  # the page's own
    action: Action = scope["ACTION"]
    return action


ANNOTATE = of_recipe()
CODE = "def f(a):\n    return a\n"
HINTED = "def f(a: int) -> int:\n    return a\n"


class TestOnesOwn:
    """An action that no file declares, given at run time: the recipe's."""

    def actions(self, root: Path, reply: str) -> tuple[Actions, FakeProvider]:
        provider, settings = FakeProvider([f"<answer>\n{reply}</answer>"]), Settings()
        tasks = (*TASKS.values(), ANNOTATE.task)
        routes = resolve(settings, ["a"], {Track.STRONG: ("a",)}, tasks=tasks)
        policy = RoutingPolicy(routes, {"a": fake_model("a", provider)})
        dispatcher = Dispatcher(policy, lambda event: None)
        policy = PrivacyPolicy([root], settings.privacy, settings.context)
        known = {**BUILT_IN, ANNOTATE.task: ANNOTATE}
        return Actions(dispatcher, settings, policy, SyntaxCache(), [root], known=known), provider

    def document(self, root: Path) -> Document:
        return Document((root / "a.py").as_uri(), root / "a.py", "python", 1, Snapshot(CODE))

    def offer(self, actions: Actions, document: Document) -> CodeActionOffer:
        cursor = Range(Position(1, 4), Position(1, 4))
        offer = next(o for o in actions.offers(document, cursor) if o.action is ANNOTATE)
        assert (offer.title, offer.action.kind) == ("Add type hints to f", Kind.REWRITE)
        return CodeActionOffer.from_data(offer.to_data(), actions.known)

    async def test_it_is_offered_asked_and_applied(self, tmp_path: Path) -> None:
        document = self.document(tmp_path)
        actions, provider = self.actions(tmp_path, HINTED)
        proposal = await actions.propose(self.offer(actions, document), document, (), print)
        ((_, edits),) = proposal.edits
        assert document.text.apply(edits).text == HINTED
        (prompt,) = provider.prompts
        assert isinstance(prompt, Chat)
        assert ANNOTATE.prompt in prompt.messages[0].content

    async def test_its_rule_is_held(self, tmp_path: Path) -> None:
        document = self.document(tmp_path)
        actions, _ = self.actions(tmp_path, HINTED.replace("f(", "g("))
        with pytest.raises(ReplyRejected, match="f is no longer defined"):
            await actions.propose(self.offer(actions, document), document, (), print)

    def test_another_server_does_not_take_it(self, tmp_path: Path) -> None:
        actions, _ = self.actions(tmp_path, "")
        data = self.offer(actions, self.document(tmp_path)).to_data()
        with pytest.raises(TwotrackError, match="not one of twotrack's"):
            CodeActionOffer.from_data(data, {})
