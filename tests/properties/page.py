"""The tables of docs/properties.md, from the tests and from what the properties notice: ``python -m tests.properties.page`` writes them.

Without ``--planted`` the table of planted mistakes is left as it is, since making it takes a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path

from tests.properties.found import table
from tests.properties.soak import quiet

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "properties.md"
SAYS = {
    1: "the data are the oracle's, byte for byte, with faults and without",
    2: "the errors are the oracle's, as a multiset of path and code",
    3: "keys, their order, lists and types are what question and schema demand",
    4: "no null where null may not be",
    5: "a null that a fault or a denial made has an error at it or above; absence has none",
    6: "nothing denied is asked of any system, but keys that lead elsewhere",
    7: "other data behind what is denied: the same bytes, errors, notices, plan and calls",
    8: "a key is sent once to a binding, and never a null one",
    9: "no more calls than unique keys need with batches of the size that a relation takes",
    10: "what is skipped makes no call",
    11: "same inputs, same plan; neither hash seeds nor the order of manifests show",
    12: "a plan depends on nothing but its key",
    13: "an unrelated system changes no plan and no answer",
    14: "a provider of lower rank changes no answer and no call without faults",
    15: "a smaller right gives the same data with more nulls",
    16: "aliases, fragments, variables and the order of fields are only ways to write",
    17: "shared calls or not, one key or many, any schedule: the same data",
    18: "requests at the same time do not see each other; one that goes away is not missed",
    19: "every request ends by its deadline and leaves nothing behind",
    20: "a request is answered by the composition that it began with",
    21: "a fault takes away what depends on it and nothing else",
    22: "where a system that may be asked instead can tell, there is no null",
    23: "a field of an entity has one value in all of an answer",
    24: "the pages of a list, one after the other, are the list; its total stays",
    25: "what a source filters and what the hub filters after it are the whole filter",
    26: "bytes are the encoding of the data; all ways to assemble give one answer",
    27: "what composition says can be reached and served is planned, and nothing else is",
    28: "planning looks at no more candidates than the question's fields need, in any province",
    29: "mutations are done in order and each once, also where reads are repeated",
    30: "an event is answered as a query over the same row would be",
    31: "what an analysis counts is what the recorder saw",
    32: "deferred parts put together are the answer that was not deferred",
    33: "what is served again is what would be answered anew; it stands in only while its system is down",
    34: "requests that are run as one are answered as each would be by itself",
}


def files_of() -> dict[int, list[str]]:
    """The files with tests of each property, by the names of the tests: ``test_p7_…``, ``test_p1_p2_…``."""
    found: dict[int, set[str]] = {number: set() for number in SAYS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for numbers in re.findall(r"^(?:async )?def test_((?:p\d+_)+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            for number in re.findall(r"p(\d+)_", numbers):
                found[int(number)].add(path.relative_to(ROOT).as_posix())
    return {number: sorted(paths) for number, paths in found.items()}


def properties() -> str:
    """The table of properties as Markdown."""
    lines = ["| property | says | tests |", "| --- | --- | --- |"]
    for number, paths in files_of().items():
        where = ", ".join(f"[{path.removeprefix('tests/')}](../{path})" for path in paths)
        lines.append(f"| P{number} | {SAYS[number]} | {where} |")
    return "\n".join(lines)


def between(name: str, text: str) -> str:
    """What the page holds between the marks called ``name``."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    assert found, name
    return found[1]


def written(text: str, **tables: str) -> str:
    """The page with other tables."""
    for name, made in tables.items():
        text = text.replace(f"<!-- {name} -->\n{between(name, text)}\n", f"<!-- {name} -->\n{made}\n")
    return text


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.page", description="The tables of docs/properties.md.")
    quiet()
    parser.add_argument("--planted", action="store_true", help="that of planted mistakes as well")
    tables = {"properties": properties()}
    if parser.parse_args().planted:
        tables["planted"] = asyncio.run(table())
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), **tables), encoding="utf-8")


if __name__ == "__main__":
    main()
