"""A web page's readable part: its <main>, else what readability takes for the article, else all but the frame."""

import copy
import re
from typing import Any

import lxml.html
from lxml import etree
from markdownify import markdownify
from readability import Document

from chat.reading.errors import Text, UnreadableError

FRAME = "script style template noscript nav header footer aside form button iframe svg dialog select object video audio"
HIDDEN = (
    "//*[@hidden or @aria-hidden='true' or contains(translate(@style, ' ', ''), 'display:none')"
    " or contains(translate(@style, ' ', ''), 'visibility:hidden')]"
)
ENOUGH = 200
"""Characters of a <main> that is worth reading."""
SHARE = 0.6
"""Of the page's text without its frame, what readability must have kept: it likes one article, and a page of questions
has many."""


def page(data: bytes) -> Text:
    root = _parsed(data)
    title = " ".join((root.findtext(".//title") or "").split())
    for gone in root.xpath(HIDDEN):
        gone.drop_tree()
    return Text(title, _markdown(_readable(root)))


def _parsed(data: bytes) -> Any:
    try:
        text: str | None = data.decode("utf-8")
    except UnicodeDecodeError:
        text = None  # lxml looks for the page's own declaration
    parser = lxml.html.HTMLParser(encoding="utf-8" if text is not None else None, no_network=True, huge_tree=False)
    try:
        root = lxml.html.document_fromstring(data, parser=parser)
    except (etree.LxmlError, ValueError):
        raise UnreadableError("There is no page at this address, or it can't be read.") from None
    return root


def _readable(root: Any) -> Any:
    bare = _without_frame(root)
    mains = bare.xpath("//main | //*[@role='main']")
    if len(mains) == 1 and _size(mains[0]) >= ENOUGH:
        return mains[0]
    try:
        article = lxml.html.fragment_fromstring(Document(_source(bare)).summary(html_partial=True), create_parent="div")
    except Exception:  # readability gives up on pages without a paragraph
        return bare
    return article if _size(article) >= SHARE * _size(bare) else bare


def _without_frame(root: Any) -> Any:
    bare = copy.deepcopy(root)
    for name in FRAME.split():
        for gone in bare.xpath(f"//{name}"):
            if gone.getparent() is not None:
                gone.drop_tree()
    return bare.find("body") if bare.find("body") is not None else bare


def _size(element: Any) -> int:
    return len(" ".join(element.text_content().split()))


def _source(element: Any) -> str:
    return str(lxml.html.tostring(element, encoding="unicode"))


def _markdown(element: Any) -> str:
    text: str = markdownify(_source(element), heading_style="ATX", bullets="-", strip=["a", "img"], escape_misc=False)
    return re.sub(r"[ \t]+\n", "\n", text)
