"""What holds for all tests.

The wire, the commands, what is made to fail, pumped or fuzzed are left out of the quick part.
Property tests have no deadline (a slow machine is no defect); in CI they try the same examples
each time, and few of them in the quick part.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import trustme
from hypothesis import settings

from patience import patient
from twotrack.installation import installed

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A shell's background job ignores Ctrl+C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_RUN = "TWOTRACK_TEST_RUN"
"""A variable that every process of this run inherits, so that those left over are known."""

TESTS = Path(__file__).parent
PROGRAMS = tuple(TESTS / name for name in ("commands", "e2e", "editors", "real"))
SLOW = (
    *(TESTS / name for name in ("chaos", "commands", "e2e", "test_patterns.py")),
    TESTS / "engine" / "test_growth.py",
    TESTS / "llm" / "test_dialect_streams.py",
    TESTS / "lsp" / "test_fuzzed_messages.py",
)
EXTRAS = {"real_model": ("local", "xllamacpp"), "keyring": ("keyring", "keyring")}
"""Of each marker: the extra that its tests need, and the package that shows it."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read what the quick part leaves out: three seconds."""
    quick = config.option.markexpr.startswith("not slow")
    return True if quick and collection_path in SLOW else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {
        marker: pytest.mark.skip(reason=f"the `{extra}` extra is not installed: no {package}")
        for marker, (extra, package) in EXTRAS.items()
        if not installed(package)
    }
    for item in items:
        if any(item.path.is_relative_to(place) for place in SLOW):
            item.add_marker(pytest.mark.slow)
        for marker, skip in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(skip)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.timeout is None:
        config.option.timeout = patient(float(config.getini("timeout")))


def pytest_sessionstart() -> None:
    os.environ[_RUN] = uuid.uuid4().hex


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what a test that failed or was interrupted left running, and say so."""
    strays = [process for process in psutil.process_iter() if _is_stray(process)]
    for process in strays:
        with suppress(psutil.Error):
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(
                    f"ended what was left over: {' '.join(process.cmdline())[:200]}"
                )
            process.kill()
    psutil.wait_procs(strays, timeout=5)


def _is_stray(process: psutil.Process) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(_RUN) == os.environ[_RUN]
    except (psutil.Error, OSError):
        return False


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authorities") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file


@pytest.fixture(scope="module", autouse=True)
def few_authorities(request: pytest.FixtureRequest, authority_file: Path) -> Iterator[None]:
    """Let OpenSSL read one authority instead of the system's 140: 20 ms for each transport.

    Whole programs see the machine as it is.
    """
    with pytest.MonkeyPatch.context() as environment:
        if not any(request.path.is_relative_to(place) for place in PROGRAMS):
            environment.setenv("SSL_CERT_FILE", str(authority_file))
        yield
