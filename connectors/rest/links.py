"""Links in the header of an answer, RFC 8288: ``Link: </list?page=2>; rel="next"``. Must not know where a link leads."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINK = re.compile(r'\s*<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)\s*(?:,+|$)')
_PARAMETER = re.compile(r';\s*([\w!#$&+.^`|~*-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?')


def next_link(headers: Mapping[str, str]) -> str:
    """The reference that an answer gives as its ``next``, empty where it gives none. A link about something else (``anchor``) is none."""
    text = ", ".join(value for name, value in headers.items() if name.lower() == "link")  # a list may stand in several lines
    at = 0
    while found := _LINK.match(text, at):
        said: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(found[2]):
            said.setdefault(name.lower(), quoted or bare)  # of several the first counts (§3.3)
        if "next" in said.get("rel", "").lower().split() and "anchor" not in said:
            return found[1].strip()
        at = found.end()
    return ""
