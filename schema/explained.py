"""What each code means, with a wrong and a right example: the sections of ``docs/manifest-faults.md``.

The page is written by hand. It is in the wheel beside this module, and in ``docs/`` of a working copy. Must not know any check.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

PAGE = "manifest-faults.md"
_HERE = Path(__file__).parent
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@lru_cache(maxsize=1)
def sections() -> dict[str, str]:
    """Code -> its section, without the heading. Raises OSError when the page is nowhere."""
    packed = _HERE / PAGE
    place = packed if packed.exists() else _HERE.parent / "docs" / PAGE
    return {code: text.strip() for code, text in _SECTION.findall(place.read_text(encoding="utf-8"))}
