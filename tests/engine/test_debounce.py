import random

import pytest

from twotrack.engine.debounce import AdaptiveDebounce


class Typist:
    """Types into one line at a clock of its own; hears what each key's completion waits."""

    def __init__(self, longest_ms: int = 150) -> None:
        self.now = 50.0
        self.line = 0
        self.longest_ms = longest_ms
        self.pace = AdaptiveDebounce(lambda: self.now)

    def key(self, after_s: float, *, fresh: bool = False) -> float:
        self.now += after_s
        self.pace.changed("a.py")
        return self.wait_s(fresh=fresh)

    def wait_s(self, *, fresh: bool = False) -> float:
        return self.pace.wait_s(("a.py", self.line), fresh=fresh, longest_ms=self.longest_ms)

    def asked_upstream(self, gaps: list[float]) -> int:
        """How many keys of a burst are followed by no other before their wait is over."""
        waits = [self.key(gap) for gap in gaps]
        return sum(wait < until for wait, until in zip(waits, [*gaps[1:], 9.0], strict=True))


def test_the_first_key_asks_at_once() -> None:
    assert Typist().key(0) == 0


def test_without_a_key_there_is_nothing_to_wait_for() -> None:
    assert Typist().wait_s() == 0


def test_the_first_key_after_a_pause_asks_at_once() -> None:
    typist = Typist()
    typist.asked_upstream([0.1] * 10)
    assert typist.key(0.41) == 0


def test_in_a_burst_one_waits_half_as_long_again_as_between_two_keys() -> None:
    typist = Typist()
    typist.asked_upstream([0.08] * 20)
    assert typist.key(0.08) == pytest.approx(0.12)


def test_the_setting_bounds_the_wait() -> None:
    typist = Typist(longest_ms=50)
    typist.asked_upstream([0.2] * 20)
    assert typist.key(0.2) == pytest.approx(0.05)


def test_zero_never_waits() -> None:
    typist = Typist(longest_ms=0)
    assert typist.asked_upstream([0.08] * 20) == 20


def test_time_that_the_editor_waited_itself_counts() -> None:
    typist = Typist()
    typist.asked_upstream([0.08] * 20)
    typist.now += 0.2
    assert typist.wait_s() == 0


def test_a_fresh_blank_line_asks_at_once_but_its_indentation_does_not() -> None:
    typist = Typist()
    typist.asked_upstream([0.08] * 20)
    typist.line += 1
    assert typist.key(0.08, fresh=True) == 0
    assert typist.key(0.08, fresh=True) > 0


@pytest.mark.parametrize("jitter", [0.0, 0.1, 0.2])
def test_of_a_burst_of_300_keys_at_most_a_tenth_is_asked(jitter: float) -> None:
    chance = random.Random(4)  # noqa: S311  # a typist, not a secret
    gaps = [1.0, *(chance.gauss(1 / 12, jitter / 12) for _ in range(299))]
    assert Typist().asked_upstream(gaps) <= 30
