"""Lists as one HTML page with posters; images are embedded, and nothing is fetched when the page opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from alsatian.data.title_search import title_without_year
from alsatian.posters.film import Film
from alsatian.posters.poster import Poster, Posters
from alsatian.recommender.recommendations import RankedItem, Recommendations
from alsatian.visual import html

TMDB_NOTICE = (
    "This product uses the TMDB API but is not endorsed or certified by TMDB."  # required by the terms of TMDB
)


class PosterCard(NamedTuple):
    """An item on the page: poster, rank, and lines below its name. The item of the query has no rank."""

    film: Film
    poster: Poster
    rank: int | None = None
    lines: tuple[str, ...] = ()


def page(results: Iterable[Recommendations], posters: Posters) -> str:
    """Return lists as an HTML page that needs no other file and no network.

    Raises DependencyError without Jinja (pip install 'alsatian[report]').
    """
    lists = [_section_context(answer[index], posters) for answer in results for index in range(len(answer.queries))]
    all_placeholders = all(
        card.poster.is_placeholder for section in lists for card in [*section["query_cards"], *section["cards"]]
    )
    title = lists[0]["heading"] if lists else "No lists"
    return html.render_template("lists.html", title=title, lists=lists, notice="" if all_placeholders else TMDB_NOTICE)


def _section_context(recommendations: Recommendations, posters: Posters) -> dict[str, Any]:
    heading = recommendations.heading
    cards = [_make_card(recommendations, index, row, posters) for index, row in enumerate(recommendations)]
    query_cards = [PosterCard(film, posters.of(film)) for film in _query_films(recommendations)]
    return {"heading": heading[:1].upper() + heading[1:], "query_cards": query_cards, "cards": cards}


def _query_films(recommendations: Recommendations) -> Iterator[Film]:
    """Yield the item of a query for similar items."""
    if recommendations.query_kind == "item" and (row := recommendations.item_ids.find(recommendations.queries[0])) >= 0:
        yield Film.from_catalog(recommendations.catalog, row, recommendations.queries[0])


def _make_card(recommendations: Recommendations, index: int, row: RankedItem, posters: Posters) -> PosterCard:
    film = Film.from_catalog(recommendations.catalog, int(recommendations.rows[index]), row.item)
    facts = [str(film.release_year)] if film.release_year else []
    facts.append(f"score {row.score:,.0f}" if row.score.is_integer() else f"score {row.score:.3f}")
    lines = [" · ".join(facts)]
    if row.reasons:
        lines.append("because of " + ", ".join(title_without_year(str(item)) for item, _ in row.reasons))
    return PosterCard(film, posters.of(film), row.rank, tuple(lines))
