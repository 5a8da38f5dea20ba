"""How many of the kinds of credentials are found, in all forms, and how many lines are for nothing.

Each value is made at run time. What is missed is named with its kind and form.
"""

import re
import sysconfig
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest

from secret_corpus import (
    HELD_OUT_FORMS,
    JOINED_FORMS,
    KINDS,
    LONG_FORMS,
    NAMED_FORMS,
    NAMELESS_FORMS,
    PLACED_FORMS,
    TYPED_FORMS,
    Case,
    cases,
    innocent_lines,
    joined_cases,
    placed_cases,
    special_cases,
)
from twotrack.context.privacy import is_settings
from twotrack.context.redaction import redact
from twotrack.document import Document
from twotrack.text import Snapshot

SEED, OTHER_SEED = 20, 1_000
TELLING = re.compile(r"(?i)key|token|secret|passw|auth|pwd|cred|cookie|session|salt")


def settings(language: str) -> bool:
    return is_settings(Document("untitled:x", None, language, 1, Snapshot()))


def leaks(case: Case) -> bool:
    """Whether two thirds of the value, or more, are still there."""
    shown = redact(f"import os\n{case.text}\nend\n", settings=settings(case.form.language))
    size = max(len(case.value) * 2 // 3, 4)
    starts = range(len(case.value) - size + 1) if len(case.value) >= 10 else (0,)
    size = size if len(case.value) >= 10 else len(case.value)
    return any(case.value[start : start + size] in shown for start in starts)


def recall(found: Iterable[Case]) -> tuple[float, str]:
    """The share of secrets that are kept back, and where it is worst."""
    total, kinds, forms = 0, Counter[str](), Counter[str]()
    for case in found:
        total += 1
        if leaks(case):
            kinds[f"{case.kind.name} {case.kind.format}"] += 1
            forms[case.form.template] += 1
    worst = f"of {total}; kinds {kinds.most_common(8)}; forms {forms.most_common(8)}"
    return 1 - kinds.total() / total, worst


def test_the_corpus_is_wide() -> None:
    assert len(KINDS) >= 250
    assert len(NAMED_FORMS) >= 100
    assert len({kind.format for kind in KINDS}) >= 200


@pytest.mark.slow
def test_secrets_with_a_name_are_found_in_every_form() -> None:
    share, worst = recall(cases(SEED))
    assert share >= 0.99, worst


@pytest.mark.slow
def test_secrets_with_a_name_are_found_in_forms_that_were_held_out() -> None:
    share, worst = recall(cases(OTHER_SEED, HELD_OUT_FORMS))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_secrets_between_long_marks_are_found() -> None:
    share, worst = recall(cases(SEED, LONG_FORMS))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_a_type_between_a_name_and_its_value_hides_nothing() -> None:
    share, worst = recall(cases(SEED, TYPED_FORMS))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_both_halves_of_a_secret_that_is_joined_of_two_literals_are_found() -> None:
    assert len(JOINED_FORMS) >= 25
    share, worst = recall(joined_cases(SEED))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_secrets_that_stand_apart_from_their_names_are_found() -> None:
    assert len(PLACED_FORMS) >= 30
    share, worst = recall(cases(SEED, PLACED_FORMS))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_secrets_that_a_manifest_or_a_call_tells_are_found() -> None:
    share, worst = recall(placed_cases(SEED))
    assert share >= 0.98, worst


@pytest.mark.slow
def test_no_kind_and_no_form_is_missed_as_a_whole() -> None:
    found, missed = Counter[str](), Counter[str]()
    for case in cases(OTHER_SEED):
        for what in (case.kind.name, case.form.template):
            found[what] += 1
            missed[what] += leaks(case)
    assert not [what for what in found if missed[what] > 0.2 * found[what]]


def test_known_formats_need_no_name() -> None:
    share, worst = recall(cases(SEED, NAMELESS_FORMS))
    assert share >= 0.98, worst


def test_secrets_in_places_of_their_own() -> None:
    share, worst = recall(special_cases(SEED, times=10))
    assert share >= 0.98, worst


def test_lines_that_hold_no_secret_stay() -> None:
    lines = innocent_lines(SEED)
    assert len(lines) >= 150
    assert [redact(line) for line in lines] == lines


def test_settings_that_hold_no_secret_stay() -> None:
    lines = [line for line in innocent_lines(SEED) if not re.search(r"\w\(", line)]
    assert sum(redact(line, settings=True) != line for line in lines) <= 0.005 * len(lines) + 1


@pytest.mark.slow
def test_real_code_that_speaks_of_secrets_stays() -> None:
    """At least 2,000 lines of the standard library and of installed packages."""
    folders = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))
    files = (f for folder in folders for f in sorted(folder.rglob("*.py")) if "test" not in str(f))
    lines: list[str] = []
    for file in islice(files, 1_500):
        text = file.read_text(encoding="utf-8", errors="ignore")
        lines += [line for line in text.splitlines() if len(line) < 300 and TELLING.search(line)]
    wrong = [line for line in lines if redact(line) != line]
    assert len(lines) >= 2_000
    assert len(wrong) <= 0.002 * len(lines), wrong[:20]
