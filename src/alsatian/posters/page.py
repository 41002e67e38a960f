"""Lists as one HTML page: every item with its poster, all pictures inside, nothing fetched when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape

from alsatian.posters.film import Film
from alsatian.posters.source import Poster, Posters
from alsatian.ranking import Recommendations, Row
from alsatian.titles import name_of

TMDB_NOTICE = "This product uses the TMDB API but is not endorsed or certified by TMDB."  # their terms ask for it

_STYLE = """
:root { color-scheme: light dark; --paper: #faf9f7; --card: #fff; --ink: #22211f; --faint: #6d6a65; --line: #e6e3de }
@media (prefers-color-scheme: dark) {
  :root { --paper: #191817; --card: #242321; --ink: #f0eeea; --faint: #a3a09a; --line: #383633 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1120px; padding: 40px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.4 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif }
section + section { margin-top: 56px; padding-top: 40px; border-top: 1px solid var(--line) }
header { display: flex; align-items: flex-end; gap: 20px; margin-bottom: 28px }
header img { width: 96px }
h1 { margin: 0; font-size: 26px; line-height: 1.2; text-wrap: balance }
header p { margin: 0 0 4px; color: var(--faint) }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(190px, 42vw), 1fr)); gap: 28px 20px;
  margin: 0; padding: 0; list-style: none }
img { display: block; width: 100%; height: auto; aspect-ratio: 2 / 3; object-fit: cover; border-radius: 8px;
  background: var(--line); box-shadow: 0 1px 2px #0003, 0 6px 18px #0000001a }
h2 { margin: 12px 0 2px; font-size: 15px; line-height: 1.25; overflow-wrap: anywhere }
li p { margin: 0; color: var(--faint); font-size: 13px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
footer { margin-top: 48px; color: var(--faint); font-size: 13px }
@media print { body { padding: 0 } li { break-inside: avoid } }
"""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


Picture = Callable[[Film], str]


def page(answers: Iterable[Recommendations], posters: Posters) -> str:
    """Return lists as an HTML page that needs no other file and no network."""
    shown: list[Poster] = []

    def picture(film: Film) -> str:
        shown.append(posters.of(film))
        return f'<img src="{shown[-1].uri}" alt="{escape(film.name)}" width="342" height="513">'

    lists = [answer[at] for answer in answers for at in range(len(answer.queries))]
    sections = "".join(_section(one, picture) for one in lists)
    notice = "" if all(poster.drawn for poster in shown) else f"<footer>{TMDB_NOTICE}</footer>\n"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(_heading(lists[0]) if lists else 'No lists')}</title>\n<style>{_STYLE}</style>\n"
        f"</head>\n<body>\n{sections}{notice}</body>\n</html>\n"
    )


def _section(one: Recommendations, picture: Picture) -> str:
    cards = "".join(_card(one, place, row, picture) for place, row in enumerate(one))
    items = f"<ol>\n{cards}</ol>" if cards else "<p>No items.</p>"
    asked = "".join(map(picture, _asked(one)))
    return f"<section>\n<header>{asked}<h1>{escape(_heading(one))}</h1></header>\n{items}\n</section>\n"


def _heading(one: Recommendations) -> str:
    words = one.heading
    return words[:1].upper() + words[1:]


def _asked(one: Recommendations) -> Iterator[Film]:
    """Yield the item that the others are like."""
    if one.asked == "item" and (row := one.item_ids.find(one.queries[0])) >= 0:
        yield Film.of(one.catalog, row, one.queries[0])


def _card(one: Recommendations, place: int, row: Row, picture: Picture) -> str:
    film = Film.of(one.catalog, int(one.rows[place]), row.item)
    said = [str(film.released)] if film.released else []
    said.append(f"score {row.score:,.0f}" if row.score.is_integer() else f"score {row.score:.3f}")
    lines = [" · ".join(said)]
    if row.because:
        lines.append("because of " + ", ".join(name_of(str(of)) for of, _ in row.because))
    below = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<li>{picture(film)}<h2>{row.rank}. {escape(film.name)}</h2>{below}</li>\n"
