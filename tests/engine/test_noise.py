"""A right answer is shown as if it had come clean, whatever models add to it.

=== where the cursor ($0) stands [language] [prose: words may stand there, too]
the document
--- gold
what belongs there
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from answer_noise import NOISES, Noise
from answer_place import Place
from before_after import CURSOR
from completion_desk import Desk, document_after, says
from fake_models import fake_model

PLACES = Path(__file__).parent / "noise_places.txt"


def read(path: Path) -> Iterator[tuple[str, Place]]:
    for part in re.split(r"(?m)^=== ", path.read_text())[1:]:
        heading, _, body = part.partition("\n")
        where, language, *prose = (word.rstrip("] ") for word in heading.split("["))
        document, _, gold = body.rstrip("\n").partition("\n--- gold\n")
        before, _, after = document.partition(CURSOR)
        yield f"{language}, {where}", Place(language, before, after, gold, bool(prose))


async def document_with(reply: str, place: Place, noise: Noise | None = None) -> str | None:
    chat = noise is not None and noise.chat
    desk = Desk(fake_model("m", says(reply), infill=not chat), prose=True)
    marked = place.before + CURSOR + place.after
    completion = await desk.complete(marked, invoked=True, language=place.language)
    return completion and document_after(marked, completion)


@pytest.mark.slow
@pytest.mark.parametrize("kind", dict.fromkeys(noise.kind for noise in NOISES))
@pytest.mark.parametrize("place", [pytest.param(p, id=name) for name, p in read(PLACES)])
async def test_noise_changes_nothing(kind: str, place: Place) -> None:
    clean = place.before + place.gold + place.after
    assert await document_with(place.gold, place) == clean
    failures = {}
    for noise in NOISES:
        if noise.kind == kind and (reply := noise.reply(place)) is not None:
            got = await document_with(reply, place, noise)
            if got != (None if noise.nothing else clean):
                failures[noise.name] = reply, got
    assert not failures
