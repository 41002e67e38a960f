"""Lists as one HTML page: every item with its poster, all pictures inside, nothing fetched when it is opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from alsatian.data.title_search import name_of
from alsatian.posters.film import Film
from alsatian.posters.poster import Poster, Posters
from alsatian.recommender.recommendations import Recommendations, Row
from alsatian.visual import html

TMDB_NOTICE = "This product uses the TMDB API but is not endorsed or certified by TMDB."  # their terms ask for it


class Card(NamedTuple):
    """An item of a list as it is shown: place, poster, and lines below its name. What was asked for has no place."""

    film: Film
    poster: Poster
    rank: int | None = None
    lines: tuple[str, ...] = ()


def page(answers: Iterable[Recommendations], posters: Posters) -> str:
    """Return lists as an HTML page that needs no other file and no network.

    Raises DependencyError without Jinja (pip install 'alsatian[report]').
    """
    lists = [_shown(answer[at], posters) for answer in answers for at in range(len(answer.queries))]
    drawn = all(card.poster.drawn for one in lists for card in [*one["asked"], *one["cards"]])
    title = lists[0]["heading"] if lists else "No lists"
    return html.render("lists.html", title=title, lists=lists, notice="" if drawn else TMDB_NOTICE)


def _shown(one: Recommendations, posters: Posters) -> dict[str, Any]:
    words = one.heading
    cards = [_card(one, place, row, posters) for place, row in enumerate(one)]
    asked = [Card(film, posters.of(film)) for film in _asked(one)]
    return {"heading": words[:1].upper() + words[1:], "asked": asked, "cards": cards}


def _asked(one: Recommendations) -> Iterator[Film]:
    """Yield the item that the others are like."""
    if one.asked == "item" and (row := one.item_ids.find(one.queries[0])) >= 0:
        yield Film.of(one.catalog, row, one.queries[0])


def _card(one: Recommendations, place: int, row: Row, posters: Posters) -> Card:
    film = Film.of(one.catalog, int(one.rows[place]), row.item)
    said = [str(film.released)] if film.released else []
    said.append(f"score {row.score:,.0f}" if row.score.is_integer() else f"score {row.score:.3f}")
    lines = [" · ".join(said)]
    if row.because:
        lines.append("because of " + ", ".join(name_of(str(of)) for of, _ in row.because))
    return Card(film, posters.of(film), row.rank, tuple(lines))
