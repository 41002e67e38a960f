"""The options of a recommendation request, declared once: name, default, bounds and meaning of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.recommender.novelty import validate_novelty
from alsatian.recommender.resolve import allowed_items, validate_n, validate_unknown
from alsatian.recommender.topn import Mask

UnknownUserPolicy = Literal["raise", "skip", "popular"]


class RankOptions(NamedTuple):
    """The options of ranking: n is at most the number of items, `allowed` a mask of the candidates (None: all)."""

    n: int
    exclude_seen: bool = True
    allowed: Mask | None = None
    novelty: float = 0.0


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True, eq=False)
class RecommendOptions:
    """Options of a recommendation request; same names as in `Model.recommend`. Raises ParameterError if not valid."""

    n: int = field(default=10, metadata=_help("The number of items to list; fewer only if fewer remain."))
    exclude_seen: bool = field(default=True, metadata=_help("Leave out the items of the user's history."))
    allow: Iterable[Id] | None = field(default=None, metadata=_help("Choose from these items (ids or titles) only."))
    deny: Iterable[Id] | None = field(default=None, metadata=_help("Leave these items (ids or titles) out."))
    where: str | Mask | None = field(
        default=None, metadata=_help("A condition on the item attributes, or a mask of all items.")
    )
    novelty: float = field(
        default=0.0, metadata=_help("From 0 (the highest scores) to 1 (the least known of the best candidates).")
    )
    unknown: UnknownUserPolicy = field(
        default="raise",
        metadata=_help(
            "What an unknown user gets: an error (raise), no list (skip), or the most popular items (popular)."
        ),
    )
    reasons: bool = field(
        default=False, metadata=_help("Add to each item the items of the history that contribute most to its score.")
    )

    def __post_init__(self) -> None:
        validate_n(self.n, self.n)
        validate_novelty(self.novelty)
        validate_unknown(self.unknown, UnknownUserPolicy)

    def for_ranking(self, data: Interactions) -> RankOptions:
        """Resolve the filters to a mask of the items of this data. Raises UnknownItem, ParameterError."""
        n = min(int(self.n), len(data.item_ids))
        return RankOptions(n, self.exclude_seen, allowed_items(data, self.allow, self.deny, self.where), self.novelty)


def option_help(name: str) -> str:
    """Return the meaning of an option of `RecommendOptions`, as the HTTP interface documents it."""
    return next(str(option.metadata["help"]) for option in fields(RecommendOptions) if option.name == name)
