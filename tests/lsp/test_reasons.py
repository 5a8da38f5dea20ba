"""What a plug-in says of a failure: the reason, and what mends it."""

import pytest

from twotrack import errors
from twotrack.lsp.extensions import Reason, Remedy
from twotrack.lsp.reasons import LONGEST, reason

MODEL_ERRORS = [
    (errors.NoKey("quick", "no key"), "There is no API key for quick.", Remedy.KEY),
    (errors.Unauthorized("quick", "401"), "The API key of quick was refused.", Remedy.KEY),
    (errors.Unreachable("quick", "refused"), "The server of quick cannot be reached.", "start"),
    (errors.WebPage("quick", "<html>"), "A web page came", Remedy.SETTINGS),
    (errors.MalformedReply("quick", "cut"), "No whole answer came from quick.", Remedy.MODEL),
]


@pytest.mark.parametrize(("error", "said", "remedy"), MODEL_ERRORS)
def test_a_models_failure(error: errors.ModelError, said: str, remedy: Remedy) -> None:
    found = reason(error)
    assert found.reason.startswith(said)
    assert (found.remedy, found.model) == (remedy, "quick")


def test_of_a_route_the_first_failure_counts() -> None:
    quick, recall = errors.NoKey("quick", "no key"), errors.Declined("recall", "unsure")
    assert reason(errors.RouteExhausted("fix", [recall, quick])) == reason(quick)
    nothing = reason(errors.RouteExhausted("fix", []))
    assert nothing == Reason("No model is there to fix.", Remedy.ADD)


def test_a_long_text_is_cut_between_words() -> None:
    text = reason(errors.ReplyRejected("The answer is wrong here. " * 9)).reason
    assert text.endswith(" …")
    assert len(text) <= LONGEST
    assert not text.startswith("twotrack")


def test_what_failed_inside_says_nothing_of_the_code() -> None:
    assert reason(ValueError("password = 1")).reason == "Internal error; see the log."
