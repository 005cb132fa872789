"""A folder of deliveries in an S3-compatible store, by the real client and a server on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.files import FilesConnector, FilesSettings
from connectors.files.remote import Remote
from connectors.spi import Secret, SourceError
from tests.connectors.buckets import Bucket, bucket, store
from tests.connectors.deliveries import parquet
from tests.connectors.loopback import nobody
from tests.connectors.test_files import COMMON, HEADER, by_key, failed, opened, relation, rows

PREFIX = "out/日报"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with store() as port:
        yield port


@pytest.fixture
def there(port: int) -> Bucket:
    return bucket(port)


def words(there: Bucket, folder: Path, **said: Any) -> dict[str, Any]:
    auth = {"kind": "BASIC", "user": Secret("hub"), "secret": Secret("s3-secret-4711")}
    place = {"base": f"s3://{there.name}/{PREFIX}", "endpoint": there.endpoint, "auth": auth}
    return {**place, "data": str(folder / "copies"), **COMMON, **said}


@asynccontextmanager
async def connected(there: Bucket, folder: Path, **said: Any) -> AsyncIterator[FilesConnector]:
    said = words(there, folder, **said)
    async with opened(folder, **said) as made:
        yield made


def put(there: Bucket, *lines: str, file: str = "firms.csv") -> None:
    place = "/".join(("out", "%E6%97%A5%E6%8A%A5", file))
    there.put(place, "".join(f"{line}\r\n" for line in (HEADER, *lines)).encode("gb18030"))


async def test_an_object_that_is_put_anew_takes_the_place_of_the_one_before(there: Bucket, tmp_path: Path) -> None:
    """Listed, read, noticed though it is as long as before, and each kept with what came."""
    async with connected(there, tmp_path) as connector:
        put(there, "001,甲,1", "002,乙,2")
        put(there, "001,别,1", file="other.csv")
        assert [one.name for one in (await connector.describe()).relations] == ["firms.csv", "other.csv"]
        assert await rows(connector) == [("001", "甲", 1), ("002", "乙", 2)]
        put(there, "001,丙,1", "003,丁,4")
        assert await rows(connector) == [("001", "丙", 1), ("003", "丁", 4)]
        assert (await by_key(connector, ["003", "002"]))[0] == {"003": "丁"}
    assert len(list((tmp_path / "copies").rglob("*.parquet"))) == 2


async def test_a_broken_object_or_none_leaves_the_one_before(there: Bucket, tmp_path: Path) -> None:
    async with connected(there, tmp_path) as connector:
        put(there, "001,甲,1")
        assert await rows(connector) == [("001", "甲", 1)]
        there.put("out/%E6%97%A5%E6%8A%A5/firms.csv", "<html>系统维护中</html>".encode())
        assert await rows(connector) == [("001", "甲", 1)]
        assert connector.condition() is not None
        there.delete("out/%E6%97%A5%E6%8A%A5/firms.csv")
        assert await rows(connector) == [("001", "甲", 1)]


async def test_parquet_and_the_newest_of_dated_names(there: Bucket, tmp_path: Path) -> None:
    for day, name in (("20240131", "旧"), ("20240201", "新")):
        file = parquet(tmp_path, ("代码", "名称", "等级"), [("001", name, 1)])
        there.put(f"out/%E6%97%A5%E6%8A%A5/firms-{day}.parquet", file.read_bytes())
    async with connected(there, tmp_path) as connector:
        assert await rows(connector, relation("firms-*.parquet")) == [("001", "新", 1)]


async def test_an_object_that_changes_while_it_is_read_is_not_taken(there: Bucket, tmp_path: Path) -> None:
    remote = Remote(FilesSettings.of(words(there, tmp_path)))
    try:
        put(there, "001,甲,1")
        (entry,) = await remote.list("")
        put(there, "001,乙,1")
        with pytest.raises(SourceError) as caught:
            await remote.bring("", entry, tmp_path / "target")
        assert (caught.value.kind, caught.value.code) == ("busy", "CHANGED")
    finally:
        await remote.close()


@pytest.mark.parametrize("change", ["bucket", "port"])
async def test_a_store_that_is_not_there_is_told_without_its_address(there: Bucket, tmp_path: Path, change: str) -> None:
    away = {"base": "s3://no-such-bucket/out"} if change == "bucket" else {"endpoint": f"http://127.0.0.1:{nobody()}"}
    async with connected(there, tmp_path, **away) as connector:
        error = await failed(connector)
    assert error.kind == "down"
    assert not [word for word in ("127.0.0.1", "no-such-bucket", "4711") if word in error.message + error.detail]
