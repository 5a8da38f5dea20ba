"""What may leave the machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from growth import calls
from twotrack.context.privacy import FRESH_S, PrivacyPolicy, files_of, is_settings
from twotrack.context.secret_files import is_secret
from twotrack.document import Document, Notebook
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


def policy(
    *roots: Path,
    privacy: PrivacySettings | None = None,
    context: ContextSettings | None = None,
    clock: Clock | None = None,
) -> PrivacyPolicy:
    return PrivacyPolicy(
        roots, privacy or PrivacySettings(), context or ContextSettings(), clock or Clock()
    )


SECRET_NAMES = """
    .env .env.local prod.env .envrc server.pem tls.KEY id_rsa id_ed25519.pub store.p12 .npmrc
    .pypirc .netrc credentials credentials.json terraform.tfstate prod.tfvars kubeconfig
    secrets.yaml service-account-prod.json .ssh/config .aws/config .bash_history
    application-prod.yml application.properties application.yml bootstrap-dev.yaml
    appsettings.json appsettings.Production.json .dev.vars wp-config.php wp-config.php.bak
    .secrets vault.yml vault_pass.txt .vault_pass htpasswd .htpasswd site.htpasswd
    firebase-adminsdk-abc12.json my-app-firebase-adminsdk-x1-2f.json ssh_host_rsa_key
    ssh_host_ed25519_key.pub .config/gh/hosts.yml .m2/settings.xml settings-security.xml
    gradle.properties rclone.conf .rclone.conf local.settings.json local_settings.py
    settings.local.php .env~ .env.bak #.env# .#.env id_rsa.old deploy_rsa github_ed25519
    local.properties key.properties keystore.properties database.yml nuget.config pip.conf
    auth.json .cargo/credentials.toml .docker/config.json .kube/config api_key.txt secret.txt
    passwords.txt passwords.csv db_password.txt my-secrets.json app-secrets.toml secret-db.yaml
    client_secret_123.json client_secrets.json token.json oauth-token.json .token
    google-services.json tomcat-users.xml sasl_passwd .my.cnf .mylogin.cnf .passwd-s3fs
    smbpasswd shadow wpa_supplicant.conf wg0.conf office.nmconnection prod.kdbx
    connectionStrings.config web.connectionstrings.json .git-credentials .sentryclirc
    .databrickscfg .Renviron master.key credentials.yml.enc cookies.txt session.har
    my.mobileprovision release.keystore .dockerconfigjson service-key.json private_key.txt
    oauth.json kaggle.json sftp.json .circleci/cli.yml doctl/config.yaml hub/config
    app.env.production .streamlit/secrets.toml values.secret.yaml secrets.py Secrets.swift
    .psql_history .python_history .zsh_history .snowsql/config .config/glab-cli/config.yml
    parameters.yml .s3cfg .boto .fetchmailrc .msmtprc .curlrc aws_credentials db-credentials.ini
    .htdigest
""".split()  # noqa: SIM905
ORDINARY_NAMES = """
    settings.py config.yml application.py tokens.css secret_santa.py environment.py keys.ts
    monkey.py pem.go secretary.py README.md config.json package.json package-lock.json
    docker-compose.yml Dockerfile settings.json tsconfig.json pyproject.toml setup.cfg tox.ini
    Makefile password_reset.html PasswordField.tsx token.py tokenizer.json tokenizer_config.json
    special_tokens_map.json tokens.json vault.go credentials_test.go auth.py auth.ts oauth.rs
    keyboard.json keymap.json hosts.yml settings.xml main.tf variables.tf index.html app.js
    key.py authorized.md .gitignore .eslintrc.json .prettierrc .bashrc mkdocs.yml values.yaml
    deployment.yaml pom.xml build.gradle locales/en.json messages.properties log4j.properties
    logging.conf nginx.conf passwordless.ts password.rs pass.c secretflow/config.py turkey.json
    keyword.txt vars.yml env.py test_env.py venv.cfg environment.yml .editorconfig
    requirements.txt cargo.toml Cargo.lock go.mod schema.sql data.csv keys.md hockey.json
    donkeys.txt primary.json environment.prod.ts rsa.py rsa.go ed25519.c crypto.py compass.json
    bypass.txt passport.js passenger.csv secret_manager.py application.js bootstrap.css
    bootstrap.min.js release.yml release.md
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_file_is_never_sent(root: Path, name: str) -> None:
    path = write(root / name)
    assert not policy(root).may_send(path)
    assert not policy(root).may_use(path)


@pytest.mark.parametrize("name", ORDINARY_NAMES)
def test_an_ordinary_file_is_sent(root: Path, name: str) -> None:
    assert not is_secret(root / name)
    assert policy(root).may_send(write(root / name))


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:.env",
        "untitled:C%3A%5Cproject%5C.env",
        "hg:.env",
        "svn:secrets.yaml",
        "jar:file:///project/app.jar!/.env",
        "zip:///project/a.zip/id_rsa",
        "git:/project/.env?%7B%22ref%22%3A%22HEAD%22%7D",
        "git:/project/x?%7B%22path%22%3A%22%2Fproject%2F.env%22%7D",
        "gitlens://abc/prod.env?ref",
        "diff:.env..HEAD",
    ],
)
def test_a_secret_file_is_known_under_any_scheme(root: Path, uri: str) -> None:
    paths = files_of(Document(uri, None, "plaintext", 1, Snapshot("")))
    assert not policy(root).may_send(*paths)


def test_a_document_without_a_file_is_sent(root: Path) -> None:
    assert policy(root).may_send()
    assert policy().may_use()


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
    assert policy(root).may_send(write(root / name)) is sent


def test_the_repository_above_the_workspace_counts(root: Path) -> None:
    write(root / ".gitignore", "generated/\n")
    assert not policy(root / "part").may_send(write(root / "part/generated/a.py"))


def test_a_changed_gitignore_holds_soon(root: Path) -> None:
    clock, path = Clock(), write(root / "a.py")
    judge = policy(root, clock=clock)
    assert judge.may_send(path)
    write(root / ".gitignore", "a.py\n")
    clock.now += FRESH_S
    assert not judge.may_send(path)
    (root / ".gitignore").unlink()
    clock.now += FRESH_S
    assert judge.may_send(path)


def ignore(path: Path) -> None:
    write(path.parent / ".gitignore", path.name)


def lead_out(path: Path) -> None:
    path.unlink()
    path.symlink_to(write(path.parent.parent / "elsewhere.py"))


@pytest.mark.parametrize("change", [ignore, lead_out])
def test_a_fresh_answer_does_not_ask_the_disk(root: Path, change: Callable[[Path], None]) -> None:
    clock, path = Clock(), write(root / "a.py")
    judge = policy(root, clock=clock)
    assert judge.may_use(path)
    change(path)
    assert judge.may_use(path)
    clock.now += FRESH_S
    assert not judge.may_use(path)


async def test_after_a_look_that_took_long_nothing_is_asked_of_the_disk(root: Path) -> None:
    class Slow(Clock):
        """Every look at it takes as long as an answer is fresh."""

        def __call__(self) -> float:
            self.now += FRESH_S / 20
            return self.now

    paths = [write(root / f"{number}.py") for number in range(20)]
    judge = policy(root, clock=Slow())
    documents = [Document(path.as_uri(), path, "python", 1, Snapshot("")) for path in paths]
    await judge.look(documents)
    lead_out(paths[0])  # which a question to the disk would tell
    assert judge.may_use(paths[0])


async def test_what_is_known_of_gits_rules_is_forgotten_when_they_change(root: Path) -> None:
    path, clock = write(root / "a.py"), Clock()
    judge = policy(root, clock=clock)
    assert judge.may_send(path)
    (root / ".gitignore").write_text("a.py\n")
    assert judge.may_send(path)  # for two seconds, if nobody says so
    judge.changed(root / ".gitignore")
    await judge.look([Document(path.as_uri(), path, "python", 1, Snapshot(""))])
    assert not judge.may_send(path)


def test_settings_exclude(root: Path) -> None:
    judge = policy(
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


@pytest.mark.parametrize(
    "pattern",
    ["/src/private/", "src/private/", "./src/private/", "SRC/Private", "{root}/src/", "{home}"],
)
def test_what_the_settings_exclude_is_known_by_every_name(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    pattern = pattern.format(root=root, home="~/project/src/private/")
    link = tmp_path / "link"
    link.symlink_to(root)
    write(root / "src/private/a.py")
    write(root / "src/a.py")
    for folder in (root, link):
        judge = policy(folder, privacy=PrivacySettings(exclude=(pattern,)))
        for name in (root, link):
            assert not judge.may_send(name / "src/private/a.py")
            assert judge.may_send(name / "a.py")


def test_what_an_exclusion_takes_back_is_sent(root: Path) -> None:
    patterns = ("*.md", "!/docs/*.md", "/docs/b.md")
    judge = policy(root, privacy=PrivacySettings(exclude=patterns))
    assert judge.may_send(write(root / "docs/a.md"))
    for name in ("docs/B.md", "docs/b.md", "docs/deep/a.md", "a.md", "A.MD"):
        assert not judge.may_send(write(root / name))


def test_rules_of_a_workspace_hold_by_the_name_of_the_folder_that_a_link_leads_to(
    tmp_path: Path,
) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    write(real / ".gitignore", "/private/\n")  # there is no repository
    write(real / "private/a.py")
    link.symlink_to(real)
    assert not policy(link).may_send(link / "private/a.py")
    assert not policy(link).may_send(real / "private/a.py")
    assert policy(link).may_use(write(real / "a.py"))


def test_a_link_out_of_the_workspace_is_no_context(root: Path) -> None:
    outside = write(root.parent / "elsewhere/a.py")
    link = root / "link.py"
    link.symlink_to(outside)
    assert policy(root).may_send(link)  # opened by the user
    assert not policy(root).may_use(link)
    assert not policy(root).may_use(outside)  # nor what is opened by its own name
    assert policy(root).may_send(outside)
    assert policy().may_use(outside)


def test_a_link_does_not_hide_a_secret(root: Path) -> None:
    write(root / ".env")
    (root / "settings.txt").symlink_to(root / ".env")
    assert not policy(root).may_send(root / "settings.txt")


def test_a_loop_of_links_is_not_sent(root: Path) -> None:
    (root / "a.py").symlink_to(root / "b.py")
    (root / "b.py").symlink_to(root / "a.py")
    assert not policy(root).may_use(root / "a.py")


def test_the_values_of_settings_need_no_quotes(root: Path) -> None:
    text = "[db]\npassword = two words"
    assert policy(root).redact(text, settings=True) == "[db]\npassword = <redacted>"
    assert policy(root).redact("password = other", settings=False) == "password = other"


@pytest.mark.parametrize(
    ("language", "name", "settings"),
    [
        ("yaml", None, True),
        ("dotenv", None, True),
        ("plaintext", "setup.cfg", True),
        ("unknown", "Dockerfile", True),
        ("python", "a.py", False),
        ("typescript", None, False),
    ],
)
def test_settings_are_told_by_language_or_name(
    language: str, name: str | None, settings: bool
) -> None:
    path = Path("/p", name) if name else None
    assert is_settings(Document("x:", path, language, 1, Snapshot())) is settings


def test_redaction_can_be_turned_off(root: Path) -> None:
    text = 'password = "hunter2!"'
    assert policy(root).redact(text) == 'password = "<redacted>"'
    assert policy(root, privacy=PrivacySettings(redact=False)).redact(text) == text


def test_a_label_tells_no_more_than_the_path_in_the_workspace(root: Path) -> None:
    def label(uri: str, path: Path | None) -> str:
        return policy(root, root / "inner").label(Document(uri, path, "python", 1, Snapshot()))

    assert label("file:///x", root / "pkg/a.py") == "pkg/a.py"
    assert label("file:///x", root / "inner/b.py") == "b.py"
    assert label("file:///x", root.parent / "other/c.py") == "c.py"
    assert label("untitled:Untitled-1", None) == "Untitled-1"
    assert label("memfs:/p/a.py?token=abc/d#e", None) == "a.py"


@pytest.mark.parametrize(
    ("uri", "paths"),
    [
        ("untitled:Untitled-1", ()),
        ("untitled:/project/new.txt", ("/project/new.txt",)),
        ("vscode-notebook-cell:/project/a%20b.ipynb#W0sZm", ("/project/a b.ipynb",)),
        ("git:/project/a.py?%7B%22ref%22%3A%22HEAD%22%7D", ("/project/a.py",)),
        ("git:/b.py?%7B%22path%22%3A%22%2Fp%2Fa.py%22%7D", ("/b.py", "/p/a.py")),
        ("vscode-remote://ssh+host/p/a.py", ("/p/a.py", "/ssh+host/p/a.py")),
        ("file://localhost/p/a.py", ("/p/a.py", "/localhost/p/a.py")),
        ("/p/a.py", ("/p/a.py",)),
        ("rsync://p/a.py", ("/a.py", "/p/a.py")),
        ("tramp:/ssh:h:/p/a.py", ("/ssh:h:/p/a.py", "/ssh", "/p/a.py")),
        ("output:extension", ()),
        ("jar:file:///p/x.jar!/a/B.java", ("/p/x.jar", "/a/B.java")),
        ("zipfile:///p/x.zip::a.py", ("/p/x.zip::a.py", "/p/x.zip")),
        ("nonsense", ()),
    ],
)
def test_a_document_of_an_editors_own_scheme_shows_the_files_that_it_names(
    uri: str, paths: tuple[str, ...]
) -> None:
    document = Document(uri, None, "plaintext", 1, Snapshot(""))
    assert files_of(document) == tuple(map(Path, paths))


def test_a_cell_shows_its_notebooks_file() -> None:
    path = Path("/project/a.ipynb")
    for uri in ("cell:1", "vscode-notebook-cell:/project/a.ipynb#W0sZm", f"{path.as_uri()}#1"):
        cell = Document(uri, None, "python", 1, Snapshot(""), Notebook(path))
        assert files_of(cell) == (path,)


def test_folders_that_do_not_hold_a_file_cost_it_nothing(tmp_path: Path) -> None:
    context = ContextSettings(exclude=("*.txt",))
    file = write(tmp_path / "p0" / "a.py")

    def judged(folders: int) -> int:
        clock = Clock()
        rules = policy(*(tmp_path / f"p{i}" for i in range(folders)), context=context, clock=clock)

        def ask(path: Path) -> None:
            clock.now += 2 * FRESH_S
            assert rules.may_use(path)

        return calls(ask, file)

    assert judged(100) < 1.1 * judged(2)


def test_what_is_longer_than_any_path_names_no_file() -> None:
    document = Document(f"x:/{'../' * 5_000}a.py", None, "python", 1, Snapshot(""))
    assert files_of(document) == ()


def test_a_long_uri_is_looked_through_once() -> None:
    few, many = (
        Document(f"x:{'/a' * count}", None, "python", 1, Snapshot("")) for count in (3_000, 9_000)
    )
    assert calls(files_of, many) < 1.1 * calls(files_of, few)


@pytest.mark.parametrize("piece", ["a/", "a.b-", "%2525", "a1", "%2E"])
def test_what_no_file_can_be_told_from_is_not_sent(piece: str) -> None:
    """It takes long to look at, and whoever could not be judged may be secret."""
    long = Document(f"untitled:{piece * 100_000}", None, "", 1, Snapshot("x = 1\n"))
    assert not policy().may_send(*files_of(long))
    assert calls(files_of, long) < 20
