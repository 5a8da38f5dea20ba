"""Eglot in `emacs --batch`, as a build would drive it: no screen, no person."""

import subprocess
from pathlib import Path

from editors.emacs.conftest import ALONE
from editors.models import Models, Reply

BATCH = """\
(find-file "a.py")
(call-interactively #'eglot)

(goto-char (point-max))
(insert "def add(a, b):\\n    retur")
(completion-at-point)

(goto-char (point-min))
(eglot-execute (eglot-current-server)
               (seq-find (lambda (action)
                           (string-prefix-p "Edit: swap" (plist-get action :title)))
                         (eglot-code-actions (point))))
(with-timeout (20 (error "No edit came"))
  (while (string-search "# ai:" (buffer-string))
    (accept-process-output nil 0.05)))
(save-buffer)
(eglot-shutdown (eglot-current-server))
"""
BEFORE = "# ai: swap\ndef sub(a, b):\n    return '😀', a - b\n\n\n"
AFTER = "def sub(a, b):\n    return '😀', b - a\n\n\ndef add(a, b):\n    return a + b\n"


def test_a_completion_and_a_code_action(
    programs, environment, project: Path, settings: Path, models: Models
) -> None:
    models.answer_at("    retur", "n a + b")
    models.script(Reply("n a + b"), Reply("```python\ndef sub(a, b):\n    return '😀', b - a\n```"))
    file = project / "a.py"
    file.write_bytes(BEFORE.replace("\n", "\r\n").encode())
    (project / "batch.el").write_text(f"{ALONE}\n{BATCH}")
    done = subprocess.run(
        [programs["EMACS"], "--batch", "-Q", "-l", "batch.el"],
        check=False,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == AFTER.replace("\n", "\r\n").encode(), done.stderr
