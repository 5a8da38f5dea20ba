"""What models say, from the request to the text in the editor; one file a kind of answer."""

from pathlib import Path

import pytest

from before_after import Scenario, parse
from completion_desk import Desk, document_after, says
from fake_models import fake_model

FOLDER = Path(__file__).parent / "answer_scenarios"
SCENARIOS = [
    pytest.param(scenario, id=f"{path.stem}: {scenario}")
    for path in sorted(FOLDER.glob("*.txt"))
    for scenario in parse(path)
]


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answer(scenario: Scenario) -> None:
    desk = Desk(fake_model("m", says(scenario.reply), infill=not scenario.chat), prose=True)
    completion = await desk.complete(
        scenario.before, invoked=not scenario.typing, language=scenario.language
    )
    got = completion and document_after(scenario.before, completion)
    assert got == scenario.after
