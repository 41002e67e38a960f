"""Figures as SVG inside a page: in its colours, which follow light and dark, with words where a pointer rests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from matplotlib.artist import Artist

from alsatian.visual import plots

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_NAMED = re.compile(r"#([\w.-]+)")  # in the attributes that point to another element
_HEX = re.compile(r"#[0-9a-f]{6}")
_FONT = re.compile(r"font-family: [^;]*;? ?")
_POINTING, _PAINTED = {"clip-path", f"{{{_XLINK}}}href"}, {"style", "fill", "stroke"}  # attributes
_FOREIGN = {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}  # elements that a page does without
# What pictures are drawn in, and the variable of a page in its place
VARIABLES = {color.lower(): f"var(--c{at})" for at, color in enumerate(plots.COLORS)} | {
    plots.INK.lower(): "var(--ink)",
    plots.FAINT.lower(): "var(--line)",
    plots.AXIS.lower(): "var(--axis)",
    plots.TICKS.lower(): "var(--faint)",
    "#ffffff": "var(--card)",
}

Tips = Sequence[tuple[Artist, str]]  # parts of a figure, and what is to be said of each


def inline(figure: plots.Picture, name: str, label: str, tips: Tips = ()) -> Any:
    """Return a figure as markup. name: of no other figure of the page; label: what it shows, for those who cannot see.

    >>> picture = plots.Picture(figsize=(1, 1))
    >>> inline(picture, "empty", "Nothing at all")
    Markup('<svg xmlns="http://www.w3.org/2000/svg" ... role="img" aria-label="Nothing at all"...</svg>')
    """
    from alsatian.visual.html import library

    words = {}
    for at, (artist, text) in enumerate(tips):
        artist.set_gid(f"tip-{at}")
        words[f"tip-{at}"] = text
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.parse(BytesIO(plots.svg(figure))).getroot()
    root.attrib |= {"role": "img", "aria-label": label}
    for size in ("width", "height"):
        root.attrib.pop(size)
    named = {found for element in root.iter() for key in _POINTING for found in _NAMED.findall(element.get(key, ""))}
    for element in root.iter():
        for child in [child for child in element if child.tag in _FOREIGN]:
            element.remove(child)
        _adapt(element, name, words, named)
    return library().utils.markupsafe.Markup(ElementTree.tostring(root, encoding="unicode"))


def _adapt(element: ElementTree.Element, name: str, words: dict[str, str], named: set[str]) -> None:
    """Give an element the page's colours and letters, a name that no other figure has, and its words."""
    own = element.get("id", "")
    if own in words:
        title = ElementTree.Element(f"{{{_SVG}}}title")
        title.text = words[own]
        element.insert(0, title)
    if own in named:
        element.set("id", f"{name}-{own}")
    elif own:
        element.attrib.pop("id")
    for key in _POINTING.intersection(element.keys()):
        element.set(key, _NAMED.sub(rf"#{name}-\1", element.attrib[key]))
    for key in _PAINTED.intersection(element.keys()):
        painted = _HEX.sub(lambda found: VARIABLES.get(found[0], found[0]), element.attrib[key])
        element.set(key, _FONT.sub("", painted))
