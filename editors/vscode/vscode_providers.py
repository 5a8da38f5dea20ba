"""The providers, as the VS Code extension offers them for keys and models, made of the presets.

`python editors/vscode/vscode_providers.py editors/vscode/src/providers.json` writes the list;
with `--check` it changes nothing and exits 1 where that is out of date.
"""

import json
import sys
from collections.abc import Sequence

from twotrack.llm.presets import PRESETS
from twotrack.settings.reference import rewrite


def render() -> str:
    """Return the list, in the order of the presets."""
    providers = [
        {
            "provider": name,
            "title": preset.title,
            "variable": preset.api_key_env,
            "url": preset.base_url,
            "fast": preset.fast,
            "strong": preset.strong,
        }
        for name, preset in PRESETS.items()
    ]
    return json.dumps(providers, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check the list in a file; return the exit status as `rewrite` does."""
    return rewrite(arguments, "python editors/vscode/vscode_providers.py", lambda _: render())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
