"""``hub migrate``, ``hub client`` and ``hub key``: what is kept in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from rich.console import Console
from rich.table import Column, Table

from auth.keys import read_public_keys
from auth.principal import Audience
from auth.storage import JWK, AuthMethod
from hub.cli.shared import Fault, configured
from hub.folders import make_folder
from hub.store import migrate as migrations
from hub.store.store import Store
from schema.coordinates import Grade


async def migrate(file: Path | None, to: str) -> int:
    """Up or down, whichever way the revision lies."""
    async with _opened(file) as store:
        before = await store.revision()
        if _older(to, before):
            await store.downgrade(to)
        elif to == "head":
            await store.upgrade()
        else:
            await migrations.upgrade(store.engine, to)
        print(f"{before or 'base'} -> {await store.revision() or 'base'}")
    return 0


def _older(to: str, current: str | None) -> bool:
    """Whether ``to`` lies before ``current``. Raises Fault when there is no such revision."""
    newest_first = [script.revision for script in ScriptDirectory.from_config(migrations.config()).walk_revisions()]
    if to not in ("head", "base", *newest_first):
        known = ", ".join(reversed(newest_first))
        raise Fault(f"没有版本 {to}，可用: base, {known}, head。", f"There is no revision {to}; known are base, {known}, head.")
    order = ["head", *newest_first, "base"]
    return current in order and order.index(to) > order.index(current or "base")


async def add(file: Path | None, id: str, *, name: str, audience: str, grade: str, scopes: Sequence[str], keys: Path | None) -> int:
    """Register; print the secret once."""
    public = _keys(keys)
    method = AuthMethod.PRIVATE_KEY if public else AuthMethod.SECRET
    async with _current(file) as store:
        secret = await store.add_client(id, name or id, Audience(audience), Grade[grade], scopes, method, public)
    print(f"已登记 registered: {id} ({audience}, {grade})")
    _show_secret(secret)
    return 0


async def listed(file: Path | None) -> int:
    """A table of all clients."""
    async with _current(file) as store:
        clients = await store.list_clients()
    table = Table(
        Column("id", no_wrap=True), "名称 name", "类别 audience", "分级 grade", "范围 scopes", "方式 method", "状态 state", "登记 created"
    )
    for found in clients:
        state = f"停用 disabled {found.disabled:%Y-%m-%d}" if found.disabled else "启用 enabled"
        table.add_row(
            found.id,
            found.name,
            found.audience.value,
            found.ceiling.name,
            " ".join(sorted(found.scopes)),
            found.method.value,
            state,
            f"{found.created:%Y-%m-%d}",
        )
    Console().print(table if clients else "尚无调用方，用 hub client add 登记。 No clients yet: register one with `hub client add`.")
    return 0


async def switch(file: Path | None, id: str, *, on: bool) -> int:
    """Disable or enable."""
    async with _current(file) as store:
        await store.client(id)
        await (store.enable_client(id) if on else store.disable_client(id))
    print(f"{id}: {'已启用 enabled' if on else '已停用 disabled'}")
    return 0


async def rotate(file: Path | None, id: str, keys: Path | None) -> int:
    """A new secret, or new public keys."""
    public = _keys(keys)
    async with _current(file) as store:
        if public:
            await store.replace_keys(id, public)
            print(f"{id}: 公钥已更换 keys replaced")
        else:
            _show_secret(await store.rotate_secret(id))
    return 0


async def rotate_signing_key(file: Path | None, *, withdraw: bool) -> int:
    """Another key for access tokens."""
    async with _current(file) as store:
        print(f"新密钥 new key: {await store.rotate_signing_key(withdraw=withdraw)}")
    return 0


def _show_secret(secret: str | None) -> None:
    if secret is not None:
        print(f"密码(只显示一次) secret, shown this once: {secret}")


def _keys(path: Path | None) -> tuple[JWK, ...]:
    if path is None:
        return ()
    try:
        return read_public_keys(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"无法读取 {path}。", f"Cannot read {path}: {error}.") from None


@asynccontextmanager
async def _opened(file: Path | None) -> AsyncIterator[Store]:
    config = configured(file)
    make_folder(config)
    store = Store.open(config.store_url(), config.at(config.store.key_file))
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _current(file: Path | None) -> AsyncIterator[Store]:
    """The store, brought to this program's version first."""
    async with _opened(file) as store:
        await store.upgrade()
        yield store
