"""A drawn placeholder for a poster: the title on a color that depends only on the title."""

from __future__ import annotations

import hashlib
import textwrap
import unicodedata
from html import escape

WIDTH, HEIGHT, MARGIN = 342, 513, 30
FONT_SIZES = (46, 39, 33, 28, 23)  # the first at which a title has at most MAX_LINES lines is used
MAX_LINES = 5
LETTER_WIDTH = 0.62  # mean width of a letter of common bold fonts, relative to the font size
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


def placeholder(name: str, year: int | None = None) -> str:
    """Return a poster-shaped SVG with a title and a year; the same title always has the same colors."""
    digest = hashlib.sha256(name.casefold().encode()).digest()
    hue, hue_shift, x_share, y_share = digest[0] * 360 // 256, 25 + digest[1] % 40, digest[2] / 255, digest[3] / 255
    size, lines = wrap_title(name)
    top = HEIGHT - MARGIN - 42 - round(1.16 * size * (len(lines) - 1))
    line_spans = "".join(
        f'<tspan x="{MARGIN}" y="{top + round(1.16 * size * index)}">{escape(line)}</tspan>'
        for index, line in enumerate(lines)
    )
    year_text = f'<text x="{MARGIN}" y="{HEIGHT - MARGIN}" font-size="24" opacity=".75">{year}</text>' if year else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<defs><linearGradient id="g" x2=".6" y2="1"><stop stop-color="hsl({hue}, 42%, 42%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + hue_shift) % 360}, 48%, 19%)"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#g)"/>'
        f'<g fill="none" stroke="#fff" stroke-opacity=".13" stroke-width="22">'
        f'<circle cx="{60 + 220 * x_share:.0f}" cy="{60 + 130 * y_share:.0f}" r="66"/>'
        f'<circle cx="{60 + 220 * x_share:.0f}" cy="{60 + 130 * y_share:.0f}" r="128"/></g>'
        f'<rect x="{MARGIN}" y="{top - round(1.35 * size)}" width="46" height="4" rx="2" fill="#fff" opacity=".85"/>'
        f'<g fill="#fff" font-family="{escape(FONT)}"><text font-size="{size}" font-weight="700">{line_spans}</text>'
        f"{year_text}</g></svg>"
    )


def wrap_title(name: str) -> tuple[int, list[str]]:
    """Return the font size and the lines of a title; a very long title is cut.

    >>> wrap_title("The Lord of the Rings")
    (46, ['The Lord', 'of the', 'Rings'])
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    letter_width = (
        sum(1.0 if unicodedata.east_asian_width(c) in "WF" else LETTER_WIDTH for c in printable)
        / max(len(printable), 1)
        or LETTER_WIDTH
    )
    for size in FONT_SIZES:
        line_length = int((WIDTH - 2 * MARGIN) / (letter_width * size))
        lines = textwrap.wrap(printable, line_length) or ["?"]
        if len(lines) <= MAX_LINES and max(map(len, printable.split()), default=0) <= line_length:
            return size, lines
    return size, textwrap.wrap(printable, line_length, max_lines=MAX_LINES + 2, placeholder=" …")
