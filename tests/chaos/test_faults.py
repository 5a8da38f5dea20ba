"""Completions over real sockets while 30% of the answers are wrong in every way we know.

The short form is a part of the ordinary tests: a wait of a second and a half is one of 0.2 s, and
half a second of typing lies between two questions, by the clock that the breakers read. The long
form (``make chaos``) waits as an editor does, and prints what it measured:

    python tests/chaos/test_faults.py [--questions 1600] [--seed 1]
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a program, it stands in its own folder

from chaos.faulty_server import FAULTS, Draw, FaultyServer, shares
from twotrack.engine.postprocess import whole_part
from twotrack.errors import RouteExhausted
from twotrack.llm import fim
from twotrack.llm.api import Capabilities, Infill, Mode, Model
from twotrack.llm.http.transport import Endpoint, Transport
from twotrack.llm.openai_completions import OpenAICompletions
from twotrack.llm.spec import Spec
from twotrack.llm.wire import HttpWire
from twotrack.routing.ask import Ask, nothing
from twotrack.routing.dispatch import Dispatcher
from twotrack.routing.health import Health
from twotrack.routing.patience import Patience
from twotrack.routing.policy import RoutingPolicy
from twotrack.tasks import COMPLETE, TASKS, Task

SHORT = Patience(
    first_fast_s=0.2,
    first_fast_local_s=0.2,
    first_strong_s=0.2,
    first_strong_local_s=0.2,
    cold_fast_s=0.2,
    cold_strong_s=0.2,
    gap_fast_s=0.2,
    gap_strong_s=0.2,
    total_fast_s=0.6,
)
TYPING_S = 0.5
"""Between two questions."""
PROMPT = Infill("total = 1\n", "", "a.py", "python", stop=("\n",))

SECOND_HEALTHY = {"a": 0.3, "b": 0.0}
SECOND_FAILS_TOO = {"a": 0.3, "b": 0.1}
ALONE = {"a": 0.3}
ALL_WELL = {"a": 0.0, "b": 0.0}

FINAL = {"400", "429, later"}
"""What asking again at once does not mend: this request is refused, or the provider says when."""


@dataclass(frozen=True)
class Route:
    models: Sequence[str]
    deadline_s: float


@dataclass
class Run:
    """What became of the questions of a run."""

    seconds: list[float] = field(default_factory=list)
    lost: list[tuple[str, ...]] = field(default_factory=list)
    """Of each question without text: what its requests met."""
    beyond: int = 0
    """Questions which one repetition cannot save."""
    requests: int = 0

    def note(self, seconds: float, text: str, met: tuple[str, ...]) -> None:
        self.seconds.append(seconds)
        self.requests += len(met)
        self.beyond += beyond_repair(met)
        if not text:
            self.lost.append(met)

    @property
    def with_text(self) -> float:
        """The share of questions that were answered with text."""
        return 1 - len(self.lost) / len(self.seconds)

    @property
    def saved(self) -> float:
        """The same of those that are healthy, or that one repetition can save."""
        can = len(self.seconds) - self.beyond
        lost = sum(not beyond_repair(met) for met in self.lost)
        return 1 - lost / can

    def percentile_ms(self, percent: int) -> float:
        return sorted(self.seconds)[len(self.seconds) * percent // 100] * 1e3

    def __str__(self) -> str:
        worst = Counter(" then ".join(met) or "nobody was asked" for met in self.lost)
        return (
            f"{self.with_text:.2%} with text, {self.saved:.2%} of what can be "
            f"saved; p50 {self.percentile_ms(50):.0f} ms, p95 {self.percentile_ms(95):.0f} ms, "
            f"longest {max(self.seconds):.1f} s; {self.requests / len(self.seconds):.2f} requests "
            f"a question; lost: {dict(worst.most_common(8))}"
        )


def beyond_repair(met: tuple[str, ...]) -> bool:
    """Whether all that was asked is faulty, or refused for good at the first request."""
    return bool(met) and (met[0] in FINAL or (len(met) > 1 and all(met)))


async def run(
    draw: Draw,
    models: Sequence[str],
    questions: int,
    *,
    patience: Patience,
    local: bool = True,
    task: Task = TASKS["complete"],
) -> Run:
    """Ask so many questions, one after another."""
    typed_s = 0.0
    paused: list[float] = []
    done = Run()
    transport = Transport()

    def clock() -> float:
        return time.monotonic() + typed_s

    async def sleep(seconds: float) -> None:
        nonlocal typed_s
        typed_s += seconds
        paused.append(seconds)

    async with FaultyServer(draw, drip_s=patience.gap_fast_s / 2) as server:
        policy = RoutingPolicy(
            {task: Route(models, task.deadline_s)},
            {name: model(transport, name, server.base_url(name), local=local) for name in models},
            health=Health(clock),
            patience=patience,
            clock=clock,
        )
        dispatcher = Dispatcher(policy, lambda event: None, sleep=sleep)
        usable = whole_part if task is COMPLETE else nothing
        ask = Ask(task, lambda model: PROMPT, usable=usable)
        for _ in range(questions):
            typed_s += TYPING_S
            before, began = len(server.met), time.monotonic()
            paused.clear()
            try:
                text = (await dispatcher.ask(ask)).text.strip()
            except RouteExhausted:
                text = ""
            took_s = time.monotonic() - began + sum(paused)
            done.note(took_s, text, tuple(server.met[before:]))
        await dispatcher.aclose()
    await transport.aclose()
    return done


def model(transport: Transport, name: str, base_url: str, *, local: bool) -> Model:
    endpoint = Endpoint(name, base_url)
    provider = HttpWire(transport, endpoint, OpenAICompletions(Spec(name), template=fim.SUFFIX))
    wires = {Mode.FILL: provider, Mode.CHAT: provider}
    return Model(name, name, wires, Capabilities(local=local))


# -- the short form ----------------------------------------------------------------------------


ROUTES = pytest.mark.parametrize(
    ("of", "with_text", "saved"),
    [(SECOND_HEALTHY, 0.999, 0.999), (SECOND_FAILS_TOO, 0.99, 0.99), (ALONE, 0.85, 0.97)],
    ids=["second healthy", "second fails too", "alone"],
)


@ROUTES
@pytest.mark.parametrize("local", [False, True], ids=["remote", "loopback"])
async def test_questions_are_answered_though_answers_fail(
    of: Mapping[str, float], with_text: float, saved: float, local: bool
) -> None:
    done = await run(shares(of, seed=2), list(of), 300, patience=SHORT, local=local)
    assert done.with_text >= with_text, done
    assert done.saved >= saved, done


@pytest.mark.parametrize(("of", "with_text"), [(SECOND_HEALTHY, 0.999), (SECOND_FAILS_TOO, 0.98)])
async def test_so_are_actions(of: Mapping[str, float], with_text: float) -> None:
    done = await run(shares(of, seed=3), list(of), 160, patience=SHORT, task=TASKS["fix"])
    assert done.with_text >= with_text, done


EACH = pytest.mark.parametrize("fault", FAULTS)


@EACH
async def test_a_second_model_answers_whatever_the_first_does(fault: str) -> None:
    done = await run(lambda name: fault * (name == "a"), ["a", "b"], 5, patience=SHORT)
    assert done.with_text == 1.0, done


@EACH
async def test_no_fault_ends_a_model_that_is_alone(fault: str) -> None:
    answers = iter(["", "", fault])
    done = await run(lambda name: next(answers, ""), ["a"], 10, patience=SHORT)
    assert set(done.lost) <= {(fault,)}, done
    assert len(done.lost) <= 1, done


# -- the long form -----------------------------------------------------------------------------


async def main(questions: int, seed: int) -> None:
    for of in (ALL_WELL, SECOND_HEALTHY, SECOND_FAILS_TOO, ALONE):
        for local in (False, True):
            done = await run(
                shares(of, seed), list(of), questions, patience=Patience(), local=local
            )
            print(of, "on loopback:" if local else "remote:", done, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure completions while answers fail.")
    parser.add_argument("--questions", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(main(given.questions, given.seed))
