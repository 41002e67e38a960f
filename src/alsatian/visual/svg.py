"""Figures as inline SVG, with tooltips, and with the colors of the page in light and dark mode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from matplotlib.artist import Artist

from alsatian.visual import plots

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"#([\w.-]+)")  # a reference to another element, in an attribute
_HEX = re.compile(r"#[0-9a-f]{6}")
_FONT = re.compile(r"font-family: [^;]*;? ?")
_REFERENCE_ATTRIBUTES, _COLOR_ATTRIBUTES = {"clip-path", f"{{{_XLINK}}}href"}, {"style", "fill", "stroke"}
_DROPPED_ELEMENTS = {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}
# The colors of figures, and the CSS variables that replace them.
CSS_VARIABLES = {color.lower(): f"var(--c{at})" for at, color in enumerate(plots.COLORS)} | {
    plots.INK.lower(): "var(--ink)",
    plots.FAINT.lower(): "var(--line)",
    plots.AXIS.lower(): "var(--axis)",
    plots.TICKS.lower(): "var(--faint)",
    "#ffffff": "var(--card)",
}

Tooltips = Sequence[tuple[Artist, str]]  # parts of a figure, with the text of their tooltips


def inline_svg(figure: plots.Picture, name: str, label: str, tooltips: Tooltips = ()) -> Any:
    """Return a figure as Markup. name: unique on the page. label: a description for screen readers.

    >>> picture = plots.Picture(figsize=(1, 1))
    >>> inline_svg(picture, "empty", "Nothing at all")
    Markup('<svg xmlns="http://www.w3.org/2000/svg" ... role="img" aria-label="Nothing at all"...</svg>')
    """
    from alsatian.visual.html import import_jinja

    texts = {}
    for index, (artist, text) in enumerate(tooltips):
        artist.set_gid(f"tip-{index}")
        texts[f"tip-{index}"] = text
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.parse(BytesIO(plots.svg_bytes(figure))).getroot()
    root.attrib |= {"role": "img", "aria-label": label}
    for attribute in ("width", "height"):
        root.attrib.pop(attribute)
    referenced_ids = {
        identifier
        for element in root.iter()
        for key in _REFERENCE_ATTRIBUTES
        for identifier in _REFERENCE.findall(element.get(key, ""))
    }
    for element in root.iter():
        for child in [child for child in element if child.tag in _DROPPED_ELEMENTS]:
            element.remove(child)
        _adapt_element(element, name, texts, referenced_ids)
    return import_jinja().utils.markupsafe.Markup(ElementTree.tostring(root, encoding="unicode"))


def _adapt_element(element: ElementTree.Element, name: str, texts: dict[str, str], referenced_ids: set[str]) -> None:
    """Replace colors, fonts and ids of an element for the page, and add its tooltip."""
    identifier = element.get("id", "")
    if identifier in texts:
        title = ElementTree.Element(f"{{{_SVG}}}title")
        title.text = texts[identifier]
        element.insert(0, title)
    if identifier in referenced_ids:
        element.set("id", f"{name}-{identifier}")
    elif identifier:
        element.attrib.pop("id")
    for key in _REFERENCE_ATTRIBUTES.intersection(element.keys()):
        element.set(key, _REFERENCE.sub(rf"#{name}-\1", element.attrib[key]))
    for key in _COLOR_ATTRIBUTES.intersection(element.keys()):
        style = _HEX.sub(lambda match: CSS_VARIABLES.get(match[0], match[0]), element.attrib[key])
        element.set(key, _FONT.sub("", style))
