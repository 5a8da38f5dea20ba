"""The log holds neither code nor keys."""

import io
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from twotrack import log
from twotrack.log import _Unhurried
from twotrack.settings.schema import LogLevel, LogSettings


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """The file that everything is logged to, at the level that says most."""
    root, ours = logging.getLogger(), logging.getLogger("twotrack")
    before, levels = list(root.handlers), (root.level, ours.level)
    for handler in before:
        root.removeHandler(handler)  # pytest's own, which `configure` would close
    assert not log.configure(LogSettings(level=LogLevel.DEBUG, file=tmp_path / "logs" / "t.log"))
    yield tmp_path / "logs" / "t.log"
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def test_our_own_words_are_written_as_they_are(written: Path) -> None:
    logging.getLogger("twotrack.room").debug("asked %s", "quick")
    assert "DEBUG twotrack.room: asked quick" in written.read_text()
    assert written.stat().st_mode & 0o077 == 0


def test_of_an_exception_only_its_kind_and_its_places_are_written(written: Path) -> None:
    code, key = (f"canary-{number}" for number in range(2))
    try:
        try:
            raise KeyError(code)
        except KeyError as error:
            raise ValueError(key) from error
    except ValueError:
        logging.getLogger("twotrack.room").exception("went wrong")
    text = written.read_text()
    assert "went wrong" in text
    assert "KeyError" in text
    assert "ValueError" in text
    assert "test_log.py" in text
    assert code not in text
    assert key not in text


def test_what_a_library_fills_in_is_left_out(written: Path) -> None:
    logging.getLogger("pygls.protocol").error("Failed to handle %r: %s", "a", "canary-code")
    logging.getLogger("asyncio").error("Task failed\nexception: KeyError('canary-code')")
    logging.getLogger("httpx").info("canary-url")
    text = written.read_text()
    assert "ERROR pygls.protocol: Failed to handle %r: %s" in text
    assert "ERROR asyncio: Task failed" in text
    assert "canary" not in text


@pytest.mark.usefixtures("written")
def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problem = log.configure(LogSettings(file=tmp_path / "file" / "t.log"))
    assert problem.startswith("log.file: ")


def test_a_line_that_cannot_be_written_is_lost_in_silence(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a disk that is full; logging itself would show what the line was made of."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        for _ in range(20):
            logging.getLogger("twotrack.room").debug("asked %s", "canary" * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert capsys.readouterr().err == ""
    logging.getLogger("twotrack.room").debug("goes on")
    assert "goes on" in written.read_text()


def test_a_log_may_be_closed_while_another_thread_writes_its_first_line() -> None:
    """As the ledger's does, when settings come."""
    for _ in range(200):
        handler = _Unhurried(io.StringIO())
        record = logging.LogRecord("twotrack", logging.WARNING, "", 0, "said", None, None)
        writing = threading.Thread(target=handler.handle, args=(record,))
        writing.start()
        handler.close()
        writing.join()
        handler.close()  # where the line came after the end
