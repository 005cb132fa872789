"""Text files as characters: the encoding that is declared, checked; or the one that is found out. Never a guess that could garble.

Strict throughout: bytes that are none of an encoding's characters are an error, since the text around them is then wrong too.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from connectors.spi import SourceError

_CHUNK = 1 << 20
_TELLING = 24  # bytes beyond ASCII from which on text that is well-formed UTF-8 is nothing else
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def broken(message: str, detail: str = "", code: str = "") -> SourceError:
    """A delivery that cannot be taken."""
    return SourceError("broken", message, detail=detail, code=code)


def encoding_of(file: Path, declared: str) -> str:
    """The name Python's codecs know the file's encoding by. Raises SourceError (broken) when it is in none, or not in the declared one."""
    with file.open("rb") as stream:
        head = stream.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if marked:
        if declared and declared != marked:
            raise broken("The file is not written in the encoding that is declared.", f"{marked} by its mark, not {declared}")
        if _well_formed(file, marked) is None:
            raise broken("The file is not written in one encoding.", f"not all of it is {marked}")
        return "utf-8-sig" if marked == "utf-8" else marked
    wide = _well_formed(file, "utf-8")
    if declared and declared != "utf-8":
        if wide is not None and wide >= _TELLING:
            raise broken("The file is not written in the encoding that is declared.", f"utf-8, not {declared}")
        if _well_formed(file, declared) is None:
            raise broken("The file is not written in the encoding that is declared.", f"not {declared}")
        return declared
    if wide is not None:
        return "utf-8"
    if declared:
        raise broken("The file is not written in the encoding that is declared.", f"not {declared}")
    if _well_formed(file, "gb18030") is None:
        raise broken("The file's encoding is not known.", "neither utf-8 nor gb18030")
    return "gb18030"


def _well_formed(file: Path, encoding: str) -> int | None:
    """How many bytes beyond ASCII a file has that is wholly in an encoding; None when it is not."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    wide = 0
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                wide += 0 if chunk.isascii() else len(chunk) - len(chunk.decode("ascii", "ignore"))
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return wide
