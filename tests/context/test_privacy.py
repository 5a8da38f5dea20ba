"""What may leave the machine."""

from pathlib import Path

import pytest

from twotrack.context.privacy import FRESH_S, Shield, file_of, is_secret
from twotrack.document import Document
from twotrack.settings.schema import ContextSettings, PrivacySettings
from twotrack.text import Snapshot


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    return root


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def shield(
    *roots: Path,
    privacy: PrivacySettings | None = None,
    context: ContextSettings | None = None,
    clock: Clock | None = None,
) -> Shield:
    return Shield(
        roots, privacy or PrivacySettings(), context or ContextSettings(), clock or Clock()
    )


@pytest.mark.parametrize(
    "name",
    [
        *[".env", ".env.local", "prod.env", ".envrc", "server.pem", "tls.KEY", "id_rsa"],
        *["id_ed25519.pub", "store.p12", ".npmrc", ".pypirc", ".netrc", "credentials"],
        *["credentials.json", "terraform.tfstate", "prod.tfvars", "kubeconfig", "secrets.yaml"],
        *["service-account-prod.json", ".ssh/config", ".aws/config", ".bash_history"],
    ],
)
def test_a_secret_file_is_never_sent(root: Path, name: str) -> None:
    path = write(root / name)
    assert not shield(root).may_send(path)
    assert not shield(root).may_use(path)


@pytest.mark.parametrize(
    "name", ["environment.py", "keys.ts", "monkey.py", "pem.go", "secretary.py", "README.md"]
)
def test_an_ordinary_file_is_sent(root: Path, name: str) -> None:
    assert not is_secret(root / name)
    assert shield(root).may_send(write(root / name))


def test_a_document_without_a_file_is_sent(root: Path) -> None:
    assert shield(root).may_send(None)
    assert shield().may_use(None)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a.log", False),
        ("deep/a.log", False),
        ("keep.log", True),
        ("deep/wanted.log", True),
        ("build/out.py", False),
        ("build/wanted.log", False),
        ("deep/only_here.py", False),
        ("only_here.py", True),
        ("excluded.py", False),
    ],
)
def test_what_git_ignores_is_not_sent(root: Path, name: str, sent: bool) -> None:
    write(root / ".gitignore", "*.log\n!keep.log\n!\nbuild/\n")
    write(root / "deep/.gitignore", "!wanted.log\n/only_here.py\n")
    write(root / "build/.gitignore", "!wanted.log\n")
    write(root / ".git/info/exclude", "excluded.py\n")
    assert shield(root).may_send(write(root / name)) is sent


def test_the_repository_above_the_workspace_counts(root: Path) -> None:
    write(root / ".gitignore", "generated/\n")
    assert not shield(root / "part").may_send(write(root / "part/generated/a.py"))


def test_a_changed_gitignore_holds_soon(root: Path) -> None:
    clock, path = Clock(), write(root / "a.py")
    judge = shield(root, clock=clock)
    assert judge.may_send(path)
    write(root / ".gitignore", "a.py\n")
    clock.now += FRESH_S
    assert not judge.may_send(path)
    (root / ".gitignore").unlink()
    clock.now += FRESH_S
    assert judge.may_send(path)


def test_a_fresh_answer_does_not_ask_the_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(root / "a.py")
    judge = shield(root)
    assert judge.may_use(path)

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the disk was asked")

    monkeypatch.setattr(Path, "stat", touched)
    monkeypatch.setattr(Path, "resolve", touched)
    assert judge.may_use(path)


def test_settings_exclude(root: Path) -> None:
    judge = shield(
        root,
        privacy=PrivacySettings(exclude=("private/", "*.sql")),
        context=ContextSettings(exclude=("*_pb2.py",)),
    )
    assert not judge.may_send(write(root / "private/a.py"))
    assert not judge.may_send(write(root / "deep/a.sql"))
    assert not judge.may_send(write(root.parent / "outside.sql"))
    generated = write(root / "a_pb2.py")
    assert judge.may_send(generated)
    assert not judge.may_use(generated)


def test_a_link_out_of_the_workspace_is_no_context(root: Path) -> None:
    outside = write(root.parent / "elsewhere/a.py")
    link = root / "link.py"
    link.symlink_to(outside)
    assert shield(root).may_send(link)  # opened by the user
    assert not shield(root).may_use(link)
    assert shield(root).may_use(outside)  # opened by its own name


def test_a_link_does_not_hide_a_secret(root: Path) -> None:
    write(root / ".env")
    (root / "settings.txt").symlink_to(root / ".env")
    assert not shield(root).may_send(root / "settings.txt")


def test_a_loop_of_links_is_not_sent(root: Path) -> None:
    (root / "a.py").symlink_to(root / "b.py")
    (root / "b.py").symlink_to(root / "a.py")
    assert not shield(root).may_use(root / "a.py")


def test_redaction_can_be_turned_off(root: Path) -> None:
    text = 'password = "hunter2!"'
    assert shield(root).redact(text) == 'password = "<redacted>"'
    assert shield(root, privacy=PrivacySettings(redact=False)).redact(text) == text


def test_a_label_tells_no_more_than_the_path_in_the_workspace(root: Path) -> None:
    def label(uri: str, path: Path | None) -> str:
        return shield(root, root / "inner").label(Document(uri, path, "python", 1, Snapshot()))

    assert label("file:///x", root / "pkg/a.py") == "pkg/a.py"
    assert label("file:///x", root / "inner/b.py") == "b.py"
    assert label("file:///x", root.parent / "other/c.py") == "c.py"
    assert label("untitled:Untitled-1", None) == "Untitled-1"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("untitled:Untitled-1", None),
        ("untitled:/project/new.env", "/project/new.env"),
        ("vscode-notebook-cell:/project/a%20b.ipynb#W0sZm", "/project/a b.ipynb"),
        ("git:/project/.env?%7B%22ref%22%3A%22HEAD%22%7D", "/project/.env"),
        ("vscode-remote://ssh+host/project/.env", "/project/.env"),
        ("output:extension", None),
        ("nonsense", None),
    ],
)
def test_a_document_of_an_editors_own_scheme_shows_a_file(uri: str, path: str | None) -> None:
    document = Document(uri, None, "plaintext", 1, Snapshot(""))
    assert file_of(document) == (Path(path) if path else None)
