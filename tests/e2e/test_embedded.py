"""A pytest-lsp session on the real embedded model: it completes and refactors a real file."""

import ast
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

EXAMPLE = Path(__file__).parents[2] / "editors" / "terminal" / "example" / "shop"

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]

SETTINGS = """
[discovery]
environment = false
loopback = false
[routes]
fast = ["embedded"]
strong = ["embedded"]
"""


def config(folder: Path) -> ClientServerConfig:
    (folder / "config.toml").write_text(SETTINGS)
    return ClientServerConfig(
        server_command=[sys.executable, "-m", "twotrack"],
        server_env={
            "TWOTRACK_CONFIG": str(folder / "config.toml"),
            "XDG_DATA_HOME": str(folder / "data"),
            "HOME": str(folder),
        },
    )


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[LanguageClient]:
    client = await config(tmp_path).start()
    assert isinstance(client, LanguageClient)

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(_: types.RegistrationParams) -> None:
        """Agree, as Visual Studio Code does."""

    params = types.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        workspace_folders=[types.WorkspaceFolder(EXAMPLE.parent.as_uri(), "example")],
    )
    await client.initialize_session(params)
    yield client
    await client.shutdown_session()


def opened(client: LanguageClient, path: Path, text: str) -> str:
    item = types.TextDocumentItem(path.as_uri(), types.LanguageKind.Python, 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    return item.uri


async def test_it_completes_a_line_of_a_real_file(client: LanguageClient) -> None:
    source = (EXAMPLE / "orders.py").read_text()
    head = (
        f"{source}\n\ndef paid_orders(orders: list[Order]) -> list[Order]:\n"
        '    """Return the orders that are paid."""\n    return ['
    )
    uri = opened(client, EXAMPLE / "orders.py", head)
    lines = head.split("\n")
    result = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(
            context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
            text_document=types.TextDocumentIdentifier(uri),
            position=types.Position(len(lines) - 1, len(lines[-1])),
        )
    )
    assert isinstance(result, types.InlineCompletionList)
    shown = [report for reports in client.progress_reports.values() for report in reports]
    assert isinstance(shown[0], types.WorkDoneProgressBegin)
    assert shown[0].title == "twotrack: loading the model embedded"
    (item,) = result.items
    assert isinstance(item.insert_text, str)
    function = ast.parse(head + item.insert_text).body[-1]
    assert isinstance(function, ast.FunctionDef)
    assert ".paid" in ast.unparse(function)


async def refactored(client: LanguageClient, text: str, word: str, line: int) -> str:
    """Choose the action with `word` in its title on a line, and give the text with its edit."""
    uri = opened(client, EXAMPLE / "scratch.py", text)
    where = types.Position(line, 2)
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri),
            range=types.Range(where, where),
            context=types.CodeActionContext(diagnostics=[]),
        )
    )
    action = next(a for a in actions or () if isinstance(a, types.CodeAction) and word in a.title)
    resolved = await client.code_action_resolve_async(action)
    assert resolved.edit is not None
    assert resolved.edit.document_changes is not None
    (change,) = resolved.edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == 1
    lines = text.splitlines(keepends=True)
    for edit in sorted(change.edits, key=lambda e: e.range.start, reverse=True):
        assert not isinstance(edit, types.SnippetTextEdit)
        start, end = (
            sum(map(len, lines[: at.line])) + at.character
            for at in (edit.range.start, edit.range.end)
        )
        text = text[:start] + edit.new_text + text[end:]
    return text


SHIPPING = """\
# ai: use sum() instead of the loop
def add_shipping(prices: list[float], shipping: float) -> float:
    total = 0.0
    for price in prices:
        total += price
    return total + shipping
"""


async def test_it_refactors_by_an_instruction_and_behaviour_stays(client: LanguageClient) -> None:
    text = await refactored(client, SHIPPING, "use sum()", 0)
    assert "# ai:" not in text
    assert "sum(" in text
    names: dict[str, object] = {}
    exec(compile(text, "scratch.py", "exec"), names)  # noqa: S102 - what is tested
    assert names["add_shipping"]([1.0, 2.5], 3.0) == 6.5  # type: ignore[operator]


AVERAGE = """\
def average_price(prices: list[float]) -> float:
    if not prices:
        return 0.0
    return sum(prices) / len(prices)
"""


async def test_it_documents_a_function_and_changes_nothing_else(client: LanguageClient) -> None:
    text = await refactored(client, AVERAGE, "Document", 0)
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert "average" in (ast.get_docstring(function) or "").lower()
    function.body = function.body[1:]
    assert ast.unparse(function) == ast.unparse(ast.parse(AVERAGE))
