"""The pages of ``docs/`` that are made from code: one section for each error code.

``python -m hub.docs [FOLDER]`` writes them (``make docs``); a test proves that what is committed is up to date. Must not know
anything of the engine.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hub.errors import CODES, Code

_AUDIENCE = {
    "caller": "调用方、运维人员 · callers and operators",
    "operator": "仅运维人员 · operators only",
    "author": "清单编写者 · authors of manifests",
}
_HEAD = """\
<!-- Made by `make docs` from hub/errors.py. Correct it there. -->

# 错误代码 · Error codes

每个错误都带有 `extensions.code`。数据来源系统出错时，只有相关字段为 null，其余字段照常返回。

Every error carries `extensions.code`. When a source system fails, only its own fields are null; all others are answered.
"""


def errors_page() -> str:
    """``docs/errors.md``: Markdown, sections in the order of the registry."""
    index = "\n".join(f"| [`{code}`](#{code.lower()}) | {entry.zh} | {entry.en} |" for code, entry in CODES.items())
    table = f"| code | 中文 | English |\n| --- | --- | --- |\n{index}\n"
    return "\n".join([_HEAD, table, *(_section(entry) for entry in CODES.values())])


def _section(entry: Code) -> str:
    again = "是 · yes" if entry.retryable else "否 · no"
    return f"""\
## {entry.code}

{entry.zh} {entry.en}

- 谁能看到 · Who sees it: {_AUDIENCE[entry.audience]}
- 可否稍后重试 · Worth asking again: {again}
- 怎么办 · What to do: {entry.fix}
"""


def main(folder: str = "docs") -> None:
    """Write the pages into ``folder``."""
    page = Path(folder, "errors.md")
    page.write_text(errors_page(), encoding="utf-8")
    print(f"{page}: {len(CODES)} codes")


if __name__ == "__main__":
    main(*sys.argv[1:])
