"""A drawing in place of a poster: the title on a colour that always belongs to it."""

from __future__ import annotations

import hashlib
import textwrap
import unicodedata
from html import escape

WIDTH, HEIGHT, MARGIN = 342, 513, 30
SIZES = (46, 39, 33, 28, 23)  # of letters, the first at which a title takes at most MOST lines
MOST = 5
LETTER = 0.62  # how wide a letter of usual bold fonts is, on average, in its size
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"


def placeholder(name: str, year: int | None = None) -> str:
    """Draw a title and a year as SVG, of the shape of a poster; the same title always looks the same."""
    digest = hashlib.sha256(name.casefold().encode()).digest()
    hue, turn, across, down = digest[0] * 360 // 256, 25 + digest[1] % 40, digest[2] / 255, digest[3] / 255
    size, lines = wrapped(name)
    top = HEIGHT - MARGIN - 42 - round(1.16 * size * (len(lines) - 1))
    spans = "".join(
        f'<tspan x="{MARGIN}" y="{top + round(1.16 * size * at)}">{escape(line)}</tspan>'
        for at, line in enumerate(lines)
    )
    below = f'<text x="{MARGIN}" y="{HEIGHT - MARGIN}" font-size="24" opacity=".75">{year}</text>' if year else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<defs><linearGradient id="g" x2=".6" y2="1"><stop stop-color="hsl({hue}, 42%, 42%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + turn) % 360}, 48%, 19%)"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#g)"/>'
        f'<g fill="none" stroke="#fff" stroke-opacity=".13" stroke-width="22">'
        f'<circle cx="{60 + 220 * across:.0f}" cy="{60 + 130 * down:.0f}" r="66"/>'
        f'<circle cx="{60 + 220 * across:.0f}" cy="{60 + 130 * down:.0f}" r="128"/></g>'
        f'<rect x="{MARGIN}" y="{top - round(1.35 * size)}" width="46" height="4" rx="2" fill="#fff" opacity=".85"/>'
        f'<g fill="#fff" font-family="{escape(FONT)}"><text font-size="{size}" font-weight="700">{spans}</text>'
        f"{below}</g></svg>"
    )


def wrapped(name: str) -> tuple[int, list[str]]:
    """Return a size of letters and the lines that a title has then; a very long title is cut.

    >>> wrapped("The Lord of the Rings")
    (46, ['The Lord', 'of the', 'Rings'])
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in name)
    wide = sum(1.0 if unicodedata.east_asian_width(c) in "WF" else LETTER for c in plain) / max(len(plain), 1) or LETTER
    for size in SIZES:
        letters = int((WIDTH - 2 * MARGIN) / (wide * size))
        lines = textwrap.wrap(plain, letters) or ["?"]
        if len(lines) <= MOST and max(map(len, plain.split()), default=0) <= letters:
            return size, lines
    return size, textwrap.wrap(plain, letters, max_lines=MOST + 2, placeholder=" …")
