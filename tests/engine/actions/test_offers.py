"""What is offered where, without a model; and offers that come back from an editor."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_models import FakeProvider, fake_model
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.engine.actions.actions import Actions
from twotrack.engine.actions.offers import CodeActionOffer, Diagnostic
from twotrack.engine.actions.registry import BUILT_IN
from twotrack.errors import TwotrackError
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.policy import RoutingPolicy
from twotrack.settings.schema import PrivacySettings, Settings
from twotrack.tasks import TASKS
from twotrack.text import Position, Range, Snapshot

CODE = """\
import os

class Cart:
    # ai: round it
    def total(self):
        '''The price.'''
        return sum(self.items)

limit = 3
"""


# So that a further action changes no list below.
SIX = ("fix", "refactor", "document", "simplify", "test", "explain")


def actions_for(root: Path, settings: Settings | None = None) -> Actions:
    settings = settings or Settings()
    policy = PrivacyPolicy([root], settings.privacy, settings.context)
    model = fake_model("first", FakeProvider(["x"]))
    dispatcher = Dispatcher(RoutingPolicy({}, {"first": model}), lambda event: None)
    known = {name: BUILT_IN[name] for name in SIX}
    return Actions(dispatcher, settings, policy, SyntaxCache(), [root], known=known)


def document(
    root: Path, text: str = CODE, language: str = "python", name: str = "a.py"
) -> Document:
    return Document((root / name).as_uri(), root / name, language, 1, Snapshot(text))


def at(line: int, character: int = 0, end: tuple[int, int] | None = None) -> Range:
    return Range(Position(line, character), Position(*(end or (line, character))))


def titles(root: Path, where: Range, found: tuple[Diagnostic, ...] = ()) -> list[str]:
    return [offer.title for offer in actions_for(root).offers(document(root), where, found)]


def test_in_a_method(tmp_path: Path) -> None:
    assert titles(tmp_path, at(6, 10)) == [
        "Edit: round it",
        "Update the documentation of total",
        "Simplify total",
        "Write tests for total",
        "Explain total",
    ]


def test_on_a_class_that_has_no_documentation(tmp_path: Path) -> None:
    assert titles(tmp_path, at(2, 3))[0] == "Document Cart"


@pytest.mark.parametrize("where", [at(3, 8), at(4, 4), at(3, 0, (6, 5))])
def test_an_instruction_on_the_line_above_it_or_in_the_selection(
    tmp_path: Path, where: Range
) -> None:
    assert "Edit: round it" in titles(tmp_path, where)


@pytest.mark.parametrize("where", [at(5, 0), at(6, 20)])
def test_an_instruction_is_meant_in_the_whole_definition(tmp_path: Path, where: Range) -> None:
    assert "Edit: round it" in titles(tmp_path, where)


def test_instructions_of_others_without_number_are_passed_over(tmp_path: Path) -> None:
    inner = "".join(f"    def f{n}():\n        # ai: x\n        return {n}\n" for n in range(400))
    text = f"def outer():\n    a = 1\n    b = 2\n    return a\n\n{inner}"
    offers = actions_for(tmp_path).offers(document(tmp_path, text), at(1, 6))
    assert not [offer for offer in offers if offer.action.task is TASKS["refactor"]]


@pytest.mark.parametrize("where", [at(0, 0), at(2, 3), at(8, 0)])
def test_an_instruction_of_another_definition_is_not_meant(tmp_path: Path, where: Range) -> None:
    assert "Edit: round it" not in titles(tmp_path, where)


def test_outside_of_definitions_only_a_selection_can_be_meant(tmp_path: Path) -> None:
    assert titles(tmp_path, at(8, 0)) == []
    assert titles(tmp_path, at(8, 0, (8, 9))) == [
        "Simplify the selection",
        "Explain the selection",
    ]
    assert titles(tmp_path, at(7, 0, (8, 0))) == []


def test_the_worst_five_diagnostics_that_touch_the_line(tmp_path: Path) -> None:
    found = tuple(
        Diagnostic(at(6, 8, (6, 8 + n)), f"problem {n}", severity=1 + n % 2) for n in range(7)
    )
    elsewhere = Diagnostic(at(0, 0, (0, 6)), "unused import")
    fixes = [t for t in titles(tmp_path, at(6, 0), (elsewhere, *found)) if t.startswith("Fix")]
    assert fixes == [f"Fix: problem {n}" for n in (0, 2, 4, 6, 1)]


def test_long_words_are_shortened_in_titles(tmp_path: Path) -> None:
    (fix, *_) = titles(tmp_path, at(6, 0), (Diagnostic(at(6), "long\nwords " * 300),))
    assert fix.endswith("...")
    assert len(fix) < 90
    assert "\n" not in fix


def test_a_test_is_not_tested(tmp_path: Path) -> None:
    offers = actions_for(tmp_path).offers(
        document(tmp_path, "def test_a(): pass\n", name="test_a.py"), at(0)
    )
    assert TASKS["test"] not in [offer.action.task for offer in offers]


def test_a_language_without_grammar_offers_what_a_selection_allows(tmp_path: Path) -> None:
    notes = document(tmp_path, "words\n# ai: sort\n", "plaintext", "a.txt")
    offers = actions_for(tmp_path).offers(notes, at(0, 0, (1, 10)))
    assert [offer.action.task for offer in offers] == [
        TASKS["refactor"],
        TASKS["simplify"],
        TASKS["explain"],
    ]


def test_a_file_that_is_never_sent_gets_no_offers(tmp_path: Path) -> None:
    excluded = Settings(privacy=PrivacySettings(exclude=("a.py",)))
    assert actions_for(tmp_path, excluded).offers(document(tmp_path), at(6)) == []
    assert actions_for(tmp_path).offers(document(tmp_path, name="id_rsa"), at(6)) == []


@pytest.mark.parametrize("text", ["", "\n", "def", "class A:\n", "\r", "((((", "\ufeff"])
@pytest.mark.parametrize("language", ["python", "rust", "json", "no such language"])
def test_any_text_and_place_can_be_asked(tmp_path: Path, text: str, language: str) -> None:
    actions = actions_for(tmp_path)
    for where in (at(0), at(9, 9), at(0, 0, (9, 9))):
        offers = actions.offers(document(tmp_path, text, language, "a"), where)
        assert all(offer.title for offer in offers)


ranges = st.tuples(*[st.integers(0, 10_000)] * 4).map(
    lambda n: Range(*sorted([Position(*n[:2]), Position(*n[2:])]))
)
diagnostics = st.builds(
    Diagnostic,
    ranges,
    st.text(min_size=1, max_size=50),
    st.integers(1, 4),
    st.text(max_size=9),
    st.text(max_size=9),
)
offers = st.one_of(
    st.builds(CodeActionOffer, st.just(BUILT_IN["fix"]), st.text(max_size=50), ranges, diagnostics),
    st.builds(
        CodeActionOffer,
        st.sampled_from([BUILT_IN["refactor"], BUILT_IN["explain"]]),
        st.text(max_size=50),
        ranges,
        st.none(),
        st.text(max_size=50),
    ),
)


@given(offers)
def test_an_offer_survives_the_wire(offer: CodeActionOffer) -> None:
    assert CodeActionOffer.from_data(json.loads(json.dumps(offer.to_data())), BUILT_IN) == offer


GOOD: dict[str, Any] = {
    "task": "explain",
    "title": "Explain x",
    "range": [0, 0, 0, 3],
    "instruction": "",
    "diagnostic": None,
}
FOUND: dict[str, Any] = {
    "range": [0, 0, 0, 1],
    "message": "m",
    "severity": 1,
    "code": "",
    "source": "",
}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "offer",
        {},
        GOOD | {"task": "complete"},
        GOOD | {"task": "rm -rf"},
        GOOD | {"task": ["explain"]},
        GOOD | {"title": None},
        GOOD | {"title": "x" * 3000},
        GOOD | {"instruction": 3},
        GOOD | {"range": [0, 0, 0]},
        GOOD | {"range": [0, 0, 0, -1]},
        GOOD | {"range": [0, 0, 0, True]},
        GOOD | {"range": [0, 0, 0, 1.5]},
        GOOD | {"range": [3, 0, 0, 1]},
        GOOD | {"range": [0, 0, 0, 2**31]},
        GOOD | {"task": "fix"},
        GOOD | {"diagnostic": FOUND},
        GOOD | {"task": "fix", "diagnostic": 7},
        GOOD | {"task": "fix", "diagnostic": FOUND | {"severity": 9}},
        GOOD | {"task": "fix", "diagnostic": FOUND | {"severity": "1"}},
        GOOD | {"task": "fix", "diagnostic": FOUND | {"message": None}},
        GOOD | {"task": "fix", "diagnostic": FOUND | {"range": {}}},
    ],
)
def test_what_is_not_an_offer_is_refused(data: object) -> None:
    with pytest.raises(TwotrackError, match="not one of twotrack's"):
        CodeActionOffer.from_data(data, BUILT_IN)


def test_the_good_ones_are_taken() -> None:
    assert CodeActionOffer.from_data(GOOD, BUILT_IN).diagnostic is None
    assert (
        CodeActionOffer.from_data(GOOD | {"task": "fix", "diagnostic": FOUND}, BUILT_IN).diagnostic
        is not None
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, *FOUND]), inner),
        max_leaves=8,
    )
)
def test_no_data_at_all_raises_anything_else(data: object) -> None:
    with suppress(TwotrackError):
        CodeActionOffer.from_data(data, BUILT_IN)


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"offer": {"title": "Explain x"}}, "Explain x"),
        ({"offer": {"title": 3}}, "This action"),
        ({"offer": None}, "This action"),
        (None, "This action"),
    ],
)
def test_the_title_of_what_an_editor_sends(data: object, title: str) -> None:
    assert Actions.title(data) == title
