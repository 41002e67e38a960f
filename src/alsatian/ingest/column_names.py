"""The usual names of columns, by role, and the kind of value that each name implies."""

from __future__ import annotations

import re
from typing import Literal

# Names in lower case without punctuation. Earlier groups take precedence over later ones.
ROLE_COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "user": (
        "userid user customerid customer custid memberid member visitorid visitor personid person accountid "
        "account clientid client reviewerid profileid subscriberid playerid listenerid buyerid uid",
        "username login email reviewer reviewername usr",
        "sessionid session deviceid cookieid",
    ),
    "item": (
        "itemid item movieid filmid productid sku stockcode articleid asin isbn contentid trackid songid "
        "artistid bookid animeid gameid businessid recipeid videoid showid beerid placeid poiid iid",
        "movie film product article content track song artist book anime game business recipe video show "
        "beer place productcode itemcode parentasin ean gtin upc",
    ),
    "value": (
        "rating ratings stars score value overall userrating reviewscore bookrating grade",
        "quantity qty count counts plays playcount listens views clicks purchases hours frequency events",
        "weight",
    ),
    "time": (
        "timestamp time datetime unixtime unixreviewtime createdat ratedat eventtime timestampms epoch ts",
        "date invoicedate orderdate reviewdate reviewtime purchasedate eventdate createdon created day",
    ),
    "title": (
        "title itemtitle movietitle booktitle productname itemname producttitle moviename songname trackname",
        "description productdescription itemdescription",
    ),
}
# A column of events is used only if the recipe has weights for events.
EVENT_COLUMN_NAMES = (
    "eventtype eventname event interactiontype actiontype activitytype behaviortype behaviourtype",
    "interaction action activity behavior behaviour",
)
TITLE_COLUMN_NAMES = ("name", "movie", "book", "artist", "song", "track")  # also titles, in a table of items
_RATING_NAMES = frozenset(ROLE_COLUMN_NAMES["value"][0].split()) - {"value"}
_COUNT_NAMES = frozenset(ROLE_COLUMN_NAMES["value"][1].split() + ROLE_COLUMN_NAMES["value"][2].split())


def normalize_column_name(name: str) -> str:
    """Reduce a column name to lower-case letters and digits: "Customer ID" and "customer_id" are the same."""
    return re.sub(r"[\W_]+", "", name).lower()


def is_known_column_name(name: str) -> bool:
    """Return whether a name is a usual name of any role."""
    return any(
        normalize_column_name(name) in group.split() for groups in ROLE_COLUMN_NAMES.values() for group in groups
    )


def value_kind(name: str) -> Literal["ratings", "counts", "unknown"]:
    """Return the kind of values that the name of a value column implies."""
    return (
        "ratings"
        if normalize_column_name(name) in _RATING_NAMES
        else "counts"
        if normalize_column_name(name) in _COUNT_NAMES
        else "unknown"
    )
