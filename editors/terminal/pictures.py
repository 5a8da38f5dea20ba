"""Pictures of terminals as SVG: one screen, or many one after another, with the font inside."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme

_FONT = Path(__file__).parent / "fonts" / "DejaVuSansMono.woff2"
_FAMILY = "DejaVu Sans Mono"
_CELL = 8.43
"""Width of a character at 14 pixels: 0.602 of it."""
_LINE = 18
_SIZE = 14
_MARGIN = 12
_BAR = 34
"""Height of the title bar, in pixels as all of these."""

Line = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a terminal shows for a while."""

    lines: Sequence[Line]
    seconds: float


def font_face() -> str:
    """Return the CSS that brings the font along."""
    data = base64.b64encode(_FONT.read_bytes()).decode()
    source = f"url(data:font/woff2;base64,{data}) format('woff2')"
    return f"@font-face {{ font-family: '{_FAMILY}'; src: {source}; }}"


def with_font(svg: str) -> str:
    """Return a picture that rich made, with the font inside instead of fetched from elsewhere."""
    fetched = re.compile(r"(?:\s*@font-face \{.*?\})+", re.DOTALL)
    svg = fetched.sub(lambda _: f"\n    {font_face()}", svg)
    return svg.replace("Fira Code", _FAMILY)


def animation(frames: Sequence[Frame], title: str, *, columns: int, rows: int) -> str:
    """Return a moving picture that begins again at its end; each line is drawn once.

    The frames stand below each other, and one at a time is pushed into view: CSS alone, so that it
    moves wherever pictures do.
    """
    theme = SVG_EXPORT_THEME
    drawn: dict[str, int] = {}
    shown = []
    for number, frame in enumerate(frames):
        for row, line in enumerate(frame.lines[-rows:]):
            if text := _text(line, theme):
                name = drawn.setdefault(text, len(drawn))
                y = (number * rows + row) * _LINE
                shown.append(f'<use href="#l{name}" y="{y}"/>')
    width, height = round(columns * _CELL) + 2 * _MARGIN, rows * _LINE
    whole = height + _BAR + _MARGIN
    lines = "".join(f'<g id="l{name}">{text}</g>' for text, name in drawn.items())
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" width="{width}">
<style>
{font_face()}
text {{ font: {_SIZE}px '{_FAMILY}', monospace; white-space: pre; }}
#film {{ animation: film {_total(frames):.2f}s step-end infinite; }}
{_keyframes(frames, height)}
</style>
<defs>{lines}</defs>
<rect width="{width}" height="{whole}" rx="8" fill="{theme.background_color.hex}"/>
<circle cx="20" cy="17" r="6" fill="#ff5f57"/><circle cx="40" cy="17" r="6" fill="#febc2e"/>\
<circle cx="60" cy="17" r="6" fill="#28c840"/>
<text x="{width // 2}" y="22" text-anchor="middle" fill="#8a8a8a">{escape(title)}</text>
<svg x="{_MARGIN}" y="{_BAR}" width="{width - 2 * _MARGIN}" height="{height}"><g id="film">
{"".join(shown)}
</g></svg>
</svg>
"""


def _total(frames: Sequence[Frame]) -> float:
    return sum(frame.seconds for frame in frames)


def _keyframes(frames: Sequence[Frame], height: int) -> str:
    steps, at = [], 0.0
    for number, frame in enumerate(frames):
        share = at / _total(frames) * 100
        steps.append(f"{share:.3f}% {{ transform: translateY({-number * height}px); }}")
        at += frame.seconds
    return f"@keyframes film {{ {' '.join(steps)} }}"


def _text(line: Line, theme: TerminalTheme) -> str:
    """Return a line as SVG; nothing for one of blanks."""
    pieces, column = [], 0
    for text, style, _ in line:
        if text.strip():
            x = round(column * _CELL, 1)
            length = round(len(text) * _CELL, 1)
            fit = f'textLength="{length}" lengthAdjust="spacingAndGlyphs"'
            look = _look(style or Style(), theme)
            pieces.append(f'<text x="{x}" y="{_SIZE}" {fit} {look}>{escape(text)}</text>')
        column += len(text)
    return "".join(pieces)


def _look(style: Style, theme: TerminalTheme) -> str:
    colour = theme.foreground_color
    if style.color is not None and not style.color.is_default:
        colour = style.color.get_truecolor(theme)
    look = f'fill="{colour.hex}"'
    look += ' font-weight="bold"' if style.bold else ""
    look += ' font-style="italic"' if style.italic else ""
    return look + (' opacity="0.6"' if style.dim else "")
