"""The whole context of a completion: bounded, redacted, and the same for the same state."""

from pathlib import Path

import pytest

from twotrack.context.assembly import Share
from twotrack.context.privacy import PrivacyPolicy
from twotrack.context.prompt import CompletionContext, gather
from twotrack.context.sources.open_documents import OpenDocuments
from twotrack.context.syntax_cache import SyntaxCache
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Position, Range, Snapshot

ROOT = Path("/project")
BODY = "".join(f"def step_{i}(value):\n    return value + {i}\n\n\n" for i in range(120))
OTHER = 'def scale(value, factor):\n    token = "Zx8Kq2Lm9Tr4Vw7Yp1Bc6Nd3Gh5Js"\n    return value\n'


def document(name: str, text: str | Snapshot, version: int = 1) -> Document:
    snapshot = text if isinstance(text, Snapshot) else Snapshot(text)
    return Document(f"file://{ROOT}/{name}", ROOT / name, "python", version, snapshot)


def policy(root: Path = ROOT) -> PrivacyPolicy:
    return PrivacyPolicy((root,), PrivacySettings(), ContextSettings())


def shares(picker: OpenDocuments | None = None) -> list[Share]:
    return [Share(picker or OpenDocuments(SyntaxCache()), 0.3)]


def context(
    current: Document,
    position: Position,
    others: tuple[Document, ...] = (),
    picker: OpenDocuments | None = None,
    max_tokens: int = 2048,
) -> CompletionContext:
    found = gather(
        current,
        position,
        others,
        policy=policy(),
        sources=shares(picker),
        max_tokens=max_tokens,
    )
    assert found is not None
    return found


def test_what_a_prompt_says() -> None:
    current = document("pkg/main.py", "x = scale(2, \r\n")
    found = context(current, Position(0, 13), (document("lib.py", OTHER),))
    prompt = found.infill(stop=("\n",), max_tokens=7)
    assert (prompt.prefix, prompt.suffix) == ("x = scale(2, ", "\n")
    assert (prompt.path, prompt.language) == ("pkg/main.py", "python")
    assert (prompt.stop, prompt.max_tokens) == (("\n",), 7)
    (excerpt,) = prompt.excerpts
    assert excerpt.path == "lib.py"
    assert excerpt.text.startswith('def scale(value, factor):\n    token = "<redacted>"')


def test_secrets_around_the_cursor_are_redacted() -> None:
    current = document("a.py", 'password = "hunter2!"\n\nurl = "http://me:geheim1@host"\n')
    found = context(current, Position(1, 0))
    assert found.prefix == 'password = "<redacted>"\n'
    assert found.suffix == '\nurl = "http://me:<redacted>@host"\n'


@pytest.mark.slow
def test_a_key_that_begins_above_the_window_is_not_sent() -> None:
    line = "Zx8Kq2Lm9Tr4Vw7Yp1Bc6Nd3Gh5JsFk2" * 2
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + f"{line}\n" * 40 + "-----END RSA PRIVATE KEY-----"
    for above in range(40):
        text = "a = 1\n" * above + key + "\nb = 1\n" * 30
        end = text.count("\n")
        for max_tokens in (300, 600, 1200):
            for row in range(above + 38, end, 5):
                found = context(document("k.py", text), Position(row, 0), max_tokens=max_tokens)
                assert line[:20] not in found.prefix + found.suffix


def test_a_name_above_the_window_tells() -> None:
    text = "x = 1\n" * 31 + 'password = (\n    "hunter2horse"\n)\n' + "y = 1\n" * 40
    for max_tokens in range(200, 900, 50):
        found = context(document("a.py", text), Position(60, 0), max_tokens=max_tokens)
        assert "hunter2" not in found.prefix


@pytest.mark.slow
@pytest.mark.parametrize(
    "fragment",
    [
        "postgres://app:correcthorse9@db.example/x",
        "<password>correcthorse9</password>",
        "curl -u bob:correcthorse9 ",
        "identified by 'correcthorse9' ",
    ],
)
def test_wherever_a_long_line_is_cut_no_secret_is_sent(fragment: str) -> None:
    filling = "a1=b2+c3;" * 1_000
    line = filling + fragment + filling
    current = document("a.js", f"x\n{line}\ny\n")
    sent = [
        context(current, Position(1, len(filling) - before + len(fragment)), max_tokens=512)
        for before in range(2_000)
    ]
    assert any("postgres" in one.suffix or fragment[:9] in one.suffix for one in sent)
    assert not any("correcthorse9" in one.prefix + one.suffix for one in sent)


def test_a_secret_file_has_no_context() -> None:
    found = gather(
        document(".env", "A=1"),
        Position(0, 0),
        (),
        policy=policy(),
        sources=shares(),
        max_tokens=2048,
    )
    assert found is None


def test_a_secret_file_is_no_context() -> None:
    secret = document(".env", OTHER)
    assert context(document("a.py", "scale(\n"), Position(0, 6), (secret,)).excerpts == ()


def test_a_secret_files_old_version_is_no_context_either() -> None:
    text = Snapshot(OTHER)
    old = Document(f"git:{ROOT}/.env?%7B%22ref%22%3A%22~%22%7D", None, "python", 1, text)
    assert (
        context(document("a.py", "scale(value, factor)\n"), Position(0, 0), (old,)).excerpts == ()
    )
    none = gather(old, Position(0, 0), (), policy=policy(), sources=shares(), max_tokens=99)
    assert none is None


def test_the_budget_holds() -> None:
    others = tuple(document(f"{i}.py", BODY) for i in range(3))
    for max_tokens in (64, 256, 1024, 2048, 8000):
        found = context(document("a.py", BODY), Position(240, 0), others, max_tokens=max_tokens)
        size = len(found.prefix + found.suffix) + sum(len(e.text) for e in found.excerpts)
        assert size <= max_tokens * 4.4


def test_the_same_state_gives_the_same_prompt() -> None:
    others = tuple(document(f"{i}.py", BODY) for i in range(3))
    first, second = (context(document("a.py", BODY), Position(240, 0), others) for _ in range(2))
    assert first == second
    assert first.excerpts


def test_typing_keeps_the_head() -> None:
    """All but the line that is typed on stays byte for byte, so that the caches hit."""
    picker = OpenDocuments(SyntaxCache())
    others = tuple(document(f"{i}.py", BODY) for i in range(3))
    typed = "    result = step_7(step_8(scale(value, factor=3)), value, 12345)"
    text, heads = Snapshot(BODY), set()
    for number, char in enumerate(typed):
        place = Position(239, number)
        text = text.replace(Range(place, place), char)
        found = context(
            document("a.py", text, number + 2), Position(239, number + 1), others, picker
        )
        assert found.prefix.endswith("\n" + typed[: number + 1])
        heads.add((found.excerpts, found.suffix, found.prefix.rpartition("\n")[0]))
    assert len(typed) > 60
    assert len(heads) == 1
