"""Which wire a path belongs to, and what each dialect lists as its models."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fakes import native_wires, strict, wires
from fakes.replies import Reply, RequestLog
from fakes.wires import Flavour, Wire

_OPENAI = ("/completions",)
_LLAMA = ("/infill", "/completion")


def wire(request: RequestLog, reply: Reply, flavour: Flavour) -> Wire | None:
    """Put the reply into the words of the dialect; None for a path of none."""
    path = request.bare_path
    if path.endswith(_OPENAI):
        return wires.openai(request, reply, flavour)
    if path.endswith(_LLAMA):
        return wires.llama(request, reply)
    native = native_wires.of(path)
    return native.wire(request, reply) if native else None


def refusal(request: RequestLog, key: str | None, *, infill: bool) -> strict.Refusal | None:
    """Say what the real server would refuse; None: nothing."""
    refused = strict.unauthorized(request, key) if key else None
    path = request.bare_path
    if refused or request.method != "POST":
        return refused
    if native := native_wires.of(path):
        return native.refusal(request, infill)
    if path.endswith(_LLAMA):
        return strict.llama(request, infill=infill)
    return strict.openai(request, infill=infill)


def models(request: RequestLog, names: Sequence[str]) -> Any:
    """List the models as the dialect does; None for a path that lists none.

    Anthropic gives 20 on a page and Gemini 50, until more are asked for.
    """
    path = request.bare_path
    if request.method != "GET":
        return None
    if path.endswith("/api/tags"):
        return {"models": [{"name": name, "model": name, "size": 1} for name in names]}
    if not path.endswith("/models"):
        return None
    query = parse_qs(urlsplit(request.path).query)
    if path.endswith("/v1beta/models"):
        page = names[: int(query.get("pageSize", ["50"])[0])]
        listed = [
            {"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"]}
            for name in page
        ]
        more = {"nextPageToken": "2"} if len(page) < len(names) else {}
        return {"models": listed} | more
    if "anthropic-version" in request.headers:
        page = names[: int(query.get("limit", ["20"])[0])]
        data = [{"type": "model", "id": name, "display_name": name} for name in page]
        return {"data": data, "has_more": len(page) < len(names)}
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}
