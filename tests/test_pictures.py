"""Pictures of terminals: they bring their font, fetch nothing, and draw each line once."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pictures import Frame, animation, with_font
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"
PROMPT = (Segment("$ make ", Style()), Segment("demo <&>", Style(color="green", bold=True)))
FRAMES = [Frame([PROMPT], 1.0), Frame([PROMPT, (Segment("ok"),)], 2.5)]


def test_a_line_of_many_frames_is_drawn_once() -> None:
    tree = ET.fromstring(animation(FRAMES, "a < b", columns=20, rows=4))  # noqa: S314  # our own
    drawn = ["".join(group.itertext()) for group in tree.findall(f"{SVG}defs/{SVG}g")]
    assert drawn == ["$ make demo <&>", "ok"]
    uses = [use.attrib for use in tree.iter(f"{SVG}use")]
    assert uses == [
        {"href": "#l0", "y": "0"},
        {"href": "#l0", "y": "72"},
        {"href": "#l1", "y": "90"},
    ]


def test_each_frame_is_in_view_for_its_time() -> None:
    svg = animation(FRAMES, "", columns=20, rows=4)
    assert "animation: film 3.50s step-end infinite" in svg
    assert "0.000% { transform: translateY(0px); } 28.571% { transform: translateY(-72px); }" in svg


def test_more_lines_than_the_terminal_has_are_cut_above() -> None:
    lines = [(Segment(f"line {n}"),) for n in range(9)]
    svg = animation([Frame(lines, 1.0)], "", columns=20, rows=2)
    assert re.findall(r"line \d", svg) == ["line 7", "line 8"]


def test_a_picture_that_rich_made_gets_the_font() -> None:
    console = Console(record=True, width=20, quiet=True)
    console.print("x")
    svg = with_font(console.export_svg(title="t"))
    assert svg.count("@font-face") == 1
    assert "Fira Code" not in svg
    assert ET.fromstring(svg).tag == f"{SVG}svg"  # noqa: S314  # our own


@pytest.mark.parametrize("file", sorted(ROOT.glob("editors/*/*.svg")), ids=lambda path: path.name)
def test_no_picture_of_a_page_fetches_anything(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"url\(\W*https?:|href=\W*https?:|@import", text)
    assert "font/woff2;base64," in text
