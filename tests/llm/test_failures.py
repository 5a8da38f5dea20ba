"""What the providers' failures mean; the bodies are theirs, shortened."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twotrack import errors
from twotrack.llm.failures import from_event, from_status, repeats, retry_after_s
from twotrack.llm.keys import Key


def failed(
    status: int, body: Any = None, key: Key | None = None, **headers: str
) -> errors.ModelError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return from_status("quick", status, sent, raw, ["sk-canary-1234"], key=key)


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


# -- a model that is not there (any more) ------------------------------------------------------

_OPENAI = "The model `gpt-9` does not exist or you do not have access to it."
_GROQ = "The model `gemma2-9b-it` has been decommissioned and is no longer supported."
_GEMINI = "models/gemini-1 is not found for API version v1beta, or is not supported."
_LITELLM = "/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view."
_RETIRED = "The model `text-davinci-003` has been deprecated, learn more here."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, error(_OPENAI, type="invalid_request_error", param=None, code="model_not_found")),
        (404, error(_RETIRED, type="invalid_request_error", code="model_not_found")),
        (400, error(_RETIRED, type="invalid_request_error")),
        (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: opus-1"}}),
        (404, [error(_GEMINI, code=404, status="NOT_FOUND")]),
        (404, {"error": "model 'qwen9' not found"}),
        (404, {"error": 'model "qwen9" not found, try pulling it first'}),
        (404, error("model 'qwen9' not found", type="not_found_error")),
        (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model"}),
        (400, error(_GROQ, type="invalid_request_error", code="model_decommissioned")),
        (400, error(_GROQ, type="invalid_request_error")),
        (400, error("google/gemini-0 is not a valid model ID", code=400)),
        (404, error("No endpoints found for this model.", code=404)),
        (400, error("Model Not Exist", type="invalid_request_error")),
        (400, error(_LITELLM, type="None", param="None", code="400")),
        (400, error("400: {'error': 'Invalid model name passed in model=x'}", code=400)),
        (400, {"status": "failure", "message": "Invalid model name"}),
        (404, error("Not found the model kimi-0 or Permission denied")),
        (400, error("Unable to access model x.", code="model_not_available")),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}),
        (400, error("The requested model is no longer available.", code="invalid_request")),
    ],
    ids=[
        *("openai", "openai-old", "openai-400", "anthropic", "gemini", "ollama", "ollama-pull"),
        *("ollama-v1", "mistral", "groq", "groq-message", "openrouter", "openrouter-404"),
        *("deepseek", "litellm", "litellm-old", "portkey", "moonshot", "together", "vllm"),
        "no-name",
    ],
)
def test_a_renamed_or_deprecated_model_says_which_setting_to_change(status: int, body: Any) -> None:
    problem = failed(status, body)
    assert type(problem) is errors.ModelNotFound
    assert not problem.transient
    assert "Change models.quick.model in the settings; `twotrack doctor` lists" in problem.message


def test_a_path_that_is_not_there_may_also_be_the_url() -> None:
    for body in ({"detail": "Not Found"}, b"<html>404</html>"):
        problem = failed(404, body)
        assert type(problem) is errors.ModelNotFound
        assert "Check models.quick.model and models.quick.base_url" in problem.message


def test_a_redirect_is_a_wrong_url() -> None:
    problem = failed(308, location="https://elsewhere.example/sk-canary-1234")
    assert type(problem) is errors.ModelNotFound
    assert "Change models.quick.base_url" in problem.message
    assert "elsewhere" not in problem.message


@pytest.mark.parametrize(
    "message",
    [
        "`temperature` is deprecated for this model.",
        "For this model, `temperature` is deprecated.",
        "This model does not support the parameter `stop`, which is deprecated.",
        "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "invalid model parameter: n",
        "prompt is too long: 208310 tokens > 200000 maximum",
    ],
)
def test_a_refused_parameter_is_not_a_missing_model(message: str) -> None:
    assert type(failed(400, error(message))) is errors.RequestRejected


# -- money, limits, load -----------------------------------------------------------------------

_DELAY = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, error("You exceeded your current quota", type="insufficient_quota"), "Quota"),
        (402, error("Insufficient Balance", type="unknown_error"), "Quota"),
        (402, error("Your account has a billing problem", type="billing_error"), "Quota"),
        (400, error("Your credit balance is too low", type="invalid_request_error"), "Quota"),
        (402, error("This request requires more credits", code=402), "Quota"),
        (429, error("no balance", type="exceeded_current_quota_error"), "Quota"),
        (429, error("Insufficient balance or no resource package.", code="1113"), "Quota"),
        (400, error("Access denied, in arrears", code="Arrearage"), "Quota"),
        (429, error("Rate limit reached", code="rate_limit_exceeded"), "RateLimited"),
        (429, error("Number of requests", type="rate_limit_error"), "RateLimited"),
        (529, error("Overloaded", type="overloaded_error"), "ServerFailed"),
        (500, error("Internal server error", type="api_error"), "ServerFailed"),
        (502, b"<html>bad gateway</html>", "ServerFailed"),
        (504, error("Timed out", type="timeout_error"), "TimedOut"),
        (413, error("Request exceeds the maximum size", type="request_too_large"), "Rejected"),
        (413, b"<html>", "Rejected"),
        (500, error("too long", type="exceed_context_size_error", code=500), "Rejected"),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "Extra inputs"}]}, "Rejected"),
        (400, error("API key not valid. Please pass it.", status="INVALID_ARGUMENT"), "Unauth"),
        (401, error("invalid x-api-key", type="authentication_error"), "Unauth"),
        (403, error("no access", type="permission_error"), "Unauth"),
    ],
)
def test_what_a_failure_means(status: int, body: Any, kind: str) -> None:
    assert kind in type(failed(status, body)).__name__


def test_the_time_to_come_back() -> None:
    google = error("quota", code=429, status="RESOURCE_EXHAUSTED", details=_DELAY)
    assert failed(429, google).retry_after_s == 17.0
    assert failed(429, google, retry_after="3").retry_after_s == 3.0
    assert failed(429, retry_after_ms="250", retry_after="3").retry_after_s == 0.25
    assert failed(429).retry_after_s is None


def test_a_server_that_loads_its_model_is_asked_again_soon() -> None:
    loading = error("Loading model", code=503, type="unavailable_error")
    problem = failed(503, loading)
    assert type(problem) is errors.ServerFailed
    assert "is loading the model" in problem.message
    assert problem.retry_after_s == 1.0
    assert failed(503, loading, retry_after="5").retry_after_s == 5.0


def test_a_server_that_says_not_to_retry_is_believed() -> None:
    assert failed(429).transient
    assert not failed(429, x_should_retry="false").transient
    assert not failed(500, x_should_retry="False").transient
    assert not failed(400, x_should_retry="true").transient


def test_a_refused_key_says_where_it_came_from() -> None:
    problem = failed(401, error("bad key"), Key("MISTRAL_API_KEY", environment={}))
    assert "Check the key from the environment variable MISTRAL_API_KEY." in problem.message
    assert problem.retry_after_s is None
    assert "of models.quick" in failed(401).message


def test_a_refused_key_that_may_be_renewed_is_tried_again_later() -> None:
    problem = failed(401, error("expired"), Key(command=("pass", "show", "mistral")))
    assert "Check the key from the command 'pass'." in problem.message
    assert problem.retry_after_s == 60.0


def test_an_error_event_after_a_good_start() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert type(from_event("quick", overloaded, ())) is errors.ServerFailed
    assert type(from_event("quick", {"error": "model 'x' not found"}, ())) is errors.ServerFailed
    limited = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    assert type(from_event("quick", limited, ())) is errors.RateLimited
    for word, kind in (
        ("invalid_request_error", errors.RequestRejected),
        ("permission_error", errors.Unauthorized),
        ("not_found_error", errors.ModelNotFound),
        ("timeout_error", errors.TimedOut),
    ):
        assert type(from_event("quick", {"error": {"type": word, "message": "m"}}, ())) is kind


def test_no_message_moves_a_cursor() -> None:
    problem = failed(500, error("a\x1b[2Jb\u202ec\ud83d"))
    assert "a [2Jb c" in problem.message
    assert problem.message.isprintable()


# -- nothing secret is repeated ----------------------------------------------------------------

CODE = 'def pay(card):\n    total = 0\n    key = "blue-whale"\n    return charge(card, total)\n'


@pytest.mark.parametrize(
    "message",
    [
        "bad key sk-canary-1234",
        "Incorrect API key provided: sk-canary*****",
        "headers: {'Authorization': 'Bearer sk-canary-1234'}",
        "key=sk%2Dcanary%2D1234",
        f"cannot parse: {CODE}",
        f"cannot parse: {CODE!r}",
        f"cannot parse: {json.dumps(CODE)}",
        "near: total = 0 key = 'x' return charge(card, total)",
        f"query={quote(CODE)}",
    ],
)
def test_a_message_that_repeats_a_key_or_code_is_not_shown(message: str) -> None:
    secret = ["sk-canary-1234", CODE]
    problem = from_status("quick", 400, {}, json.dumps(error(message)).encode(), secret)
    assert problem.message == "quick: the server answered 400."


def test_any_other_message_is_shown() -> None:
    assert not repeats("Unsupported parameter: temperature", ["sk-canary-1234", CODE, ""])
    assert "slow down" in failed(429, error("slow down")).message


def test_nonsense_is_a_failure_like_any_other() -> None:
    for body in (b"\xff", b"[]", b"[[]]", b'{"error": {"details": [1], "code": []}}', b"[" * 9000):
        assert type(failed(500, body)) is errors.ServerFailed


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "llm_provider-retry-after"]),
        st.text(max_size=40)
        | st.from_regex(r"-?[0-9]{1,400}(\.[0-9]+)?(e[0-9]{1,4})?", fullmatch=True)
        | st.from_regex(
            r"Fri, [0-9]{1,30} Dec [0-9]{1,30} [0-9]{1,9}:59:59 ([+-][0-9]{1,30})?", fullmatch=True
        ),
    )
)
@example({"retry-after": "Fri, 31 Dec 99999999999999 23:59:59 GMT"})
@example({"retry-after": "Fri, 31 Dec 2026 23:59:59 +99999999999999999999"})
def test_any_header_says_a_time_that_is_bounded_or_none(headers: dict[str, str]) -> None:
    wait = retry_after_s(headers)
    assert wait is None or 0 <= wait < 10**9
