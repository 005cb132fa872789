"""Each department, asked on its real protocol by an ordinary client, answers what the world says, in its own names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from graphql import build_client_schema, get_introspection_query
from sqlalchemy import Connection, MetaData, Table, bindparam, func, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from demo.facts import World
from demo.native import TABLES, check_json, credit_json, licence_json, operator_fields, platform_fields
from demo.seed import FIXTURES
from demo.supervisor import CREDIT_SECRET, Asked, Departments

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN, BARE, BUSY = FIXTURES[0][0], FIXTURES[1][0], FIXTURES[2][0]
NOBODY = "91310115MA1K35XY5H"


async def ask(http: aiohttp.ClientSession, url: str, **options: Any) -> tuple[int, Any]:
    async with http.get(url, **options) as response:
        return response.status, await response.json()


async def query(http: aiohttp.ClientSession, departments: Departments, document: str, **variables: Any) -> Any:
    async with http.post(departments.url("fairOnline"), json={"query": document, "variables": variables}) as response:
        return await response.json()


# --- REST ---------------------------------------------------------------------------------------------------------------------


async def test_licences_come_by_holder_in_a_batch(departments: Departments, http: aiohttp.ClientSession, truth: World) -> None:
    status, body = await ask(http, f"{departments.url('eLicenceLibrary')}/api/zz/list?czr={KNOWN},{BARE},{BUSY},{KNOWN},{NOBODY}")

    assert (status, body["code"]) == (200, 200)
    assert body["data"] == [licence_json(licence) for code in (KNOWN, BUSY) for licence in truth.licences if licence.holder == code]
    assert len(body["data"]) == 14
    assert (await departments.calls())["eLicenceLibrary"] == Asked(1, 4, {"GET /api/zz/list": (1, 4)})


async def test_licences_come_by_identifier(departments: Departments, http: aiohttp.ClientSession, truth: World) -> None:
    wanted = truth.licences[:3]
    params = {"zzbs": ",".join(licence.licence_id for licence in wanted)}
    _, body = await ask(http, f"{departments.url('eLicenceLibrary')}/api/zz/detail", params=params)

    assert body["data"] == [licence_json(licence) for licence in wanted]
    assert body["data"][0]["bfjg"] == {"dm": wanted[0].issuer, "mc": wanted[0].issuer_name}


@pytest.mark.parametrize(
    ("system", "path", "most"),
    [
        ("eLicenceLibrary", "/api/zz/list?czr=", 50),
        ("eLicenceLibrary", "/api/zz/detail?zzbs=", 50),
        ("credit531x", "/api/v2/xydj?tyshxydm=", 100),
    ],
)
async def test_a_batch_has_a_limit(departments: Departments, http: aiohttp.ClientSession, system: str, path: str, most: int) -> None:
    headers = {"X-App-Key": departments.environment()[CREDIT_SECRET]}
    keys = [f"K{n}" for n in range(most + 1)]

    assert (await ask(http, departments.url(system) + path + ",".join(keys[:most]), headers=headers))[0] == 200
    assert (await ask(http, departments.url(system) + path + ",".join(keys), headers=headers))[0] == 400
    assert (await ask(http, departments.url(system) + path, headers=headers))[0] == 400


async def test_credit_needs_its_key(departments: Departments, http: aiohttp.ClientSession, truth: World) -> None:
    url = f"{departments.url('credit531x')}/api/v2/xydj?tyshxydm={KNOWN},{BARE}"

    assert (await ask(http, url))[0] == 401
    assert (await ask(http, url, headers={"X-App-Key": "wrong"}))[0] == 401
    status, body = await ask(http, url, headers={"X-App-Key": departments.environment()[CREDIT_SECRET]})
    assert (status, body["code"]) == (200, "0")
    assert body["data"]["list"] == [credit_json(record) for record in truth.credit_records if record.uscc == KNOWN]


async def test_credit_has_a_code_for_a_single_one_that_it_does_not_know(departments: Departments, http: aiohttp.ClientSession) -> None:
    url = f"{departments.url('credit531x')}/api/v2/xydj?tyshxydm="
    headers = {"X-App-Key": departments.environment()[CREDIT_SECRET]}

    assert await ask(http, url + BARE, headers=headers) == (200, {"code": "40401", "message": "主体不存在", "data": None})
    assert (await ask(http, f"{url}{BARE},{NOBODY}", headers=headers))[1] == {"code": "0", "message": "ok", "data": {"list": []}}


async def test_checks_come_one_enterprise_and_one_page_at_a_time(
    departments: Departments, http: aiohttp.ClientSession, truth: World
) -> None:
    url = f"{departments.url('internetPlusSupervision')}/ssj/v1/jcjg?tydm={KNOWN}&pageSize=3&pageNum="
    pages = [(await ask(http, f"{url}{number}"))[1] for number in (1, 2, 3, 4)]

    assert [len(page["rows"]) for page in pages] == [3, 3, 1, 0]
    assert {page["total"] for page in pages} == {7}
    assert [row for page in pages for row in page["rows"]] == [check_json(result) for result in truth.check_results if result.uscc == KNOWN]
    assert (await ask(http, f"{departments.url('internetPlusSupervision')}/ssj/v1/jcjg?tydm={KNOWN},{BUSY}"))[0] == 400
    assert (await ask(http, f"{url}0"))[0] == 400
    assert (await ask(http, f"{url}one"))[0] == 400
    assert (await departments.calls())["internetPlusSupervision"].calls == 7


# --- GraphQL ------------------------------------------------------------------------------------------------------------------


async def test_fair_online_answers_three_root_fields(departments: Departments, http: aiohttp.ClientSession, truth: World) -> None:
    body = await query(
        http,
        departments,
        """query ($usccs: [String!]!) {
             platforms(ids: ["PT0002", "nowhere", "PT0001", "PT0002"]) { platformId name category operatorUscc monitoredSince }
             byUscc: operatorsByUscc(usccs: $usccs) { ...All }
           }
           fragment All on Operator {
             operatorId shopName realNameVerified platformId uscc findings { findingId scene foundAt disposal }
           }""",
        usccs=[KNOWN, BARE, BUSY],
    )

    assert body["data"]["platforms"] == [platform_fields(truth.platforms[1]), platform_fields(truth.platforms[0])]
    assert body["data"]["byUscc"] == [operator_fields(o) for code in (KNOWN, BUSY) for o in truth.online_operators if o.uscc == code]
    assert any(operator["findings"] for operator in body["data"]["byUscc"])
    ids = [operator["operatorId"] for operator in body["data"]["byUscc"]]
    again = await query(http, departments, "query ($ids: [ID!]!) { operators(ids: $ids) { operatorId } }", ids=ids)
    assert again == {"data": {"operators": [{"operatorId": one} for one in ids]}}
    asked = (await departments.calls())["fairOnline"].endpoints
    assert asked == {"platforms": (1, 3), "operatorsByUscc": (1, 3), "operators": (1, len(ids))}


async def test_fair_online_is_an_ordinary_graphql_service(departments: Departments, http: aiohttp.ClientSession) -> None:
    schema = build_client_schema((await query(http, departments, get_introspection_query()))["data"])
    assert schema.query_type is not None
    assert set(schema.query_type.fields) == {"platforms", "operators", "operatorsByUscc"}

    assert "Cannot query field 'nothing'" in (await query(http, departments, "{ nothing }"))["errors"][0]["message"]
    assert "Syntax Error" in (await query(http, departments, "{"))["errors"][0]["message"]
    many = await query(http, departments, "query ($ids: [ID!]!) { operators(ids: $ids) { operatorId } }", ids=[str(n) for n in range(101)])
    assert many["errors"][0]["extensions"] == {"code": "TOO_MANY_KEYS"}
    async with http.post(departments.url("fairOnline"), data=b"[1") as response:
        assert response.status == 400


# --- SQL ----------------------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def engines(running: Departments) -> AsyncIterator[dict[str, AsyncEngine]]:
    made = {system: create_async_engine(running.url(system)) for system in TABLES}
    yield made
    for engine in made.values():
        await engine.dispose()


async def reflected(engine: AsyncEngine, name: str) -> Table:
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: Table(name, MetaData(), autoload_with=sync))


async def rows(engine: AsyncEngine, statement: Any, **values: Any) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in (await connection.execute(statement, values)).all()]


async def test_the_register_answers_a_list_of_keys(departments: Departments, engines: dict[str, AsyncEngine], truth: World) -> None:
    engine = engines["legalEntityRegister"]
    table = await reflected(engine, "T_FRXX")
    statement = select(table).where(table.c.TYSHXYDM.in_(bindparam("keys", expanding=True))).order_by(table.c.TYSHXYDM.desc()).limit(2)
    found = await rows(engine, statement, keys=[KNOWN, BARE, NOBODY, BUSY])

    by_code = {entity.uscc: entity for entity in truth.enterprises}
    assert [row[0] for row in found] == sorted((KNOWN, BARE, BUSY), reverse=True)[:2]
    for row in found:
        entity = by_code[row[0]]
        assert row[1] == entity.name
        assert row[3] == "存续"
        assert row[6] == entity.registered_capital
        assert row[6] is None or (isinstance(row[6], Decimal) and str(row[6]) == str(entity.registered_capital))
        assert row[7] == entity.established_on.strftime("%Y%m%d")
    assert (await departments.calls())["legalEntityRegister"] == Asked(1, 4, {"T_FRXX": (1, 4)})


async def test_cases_have_real_dates_and_amounts(departments: Departments, engines: dict[str, AsyncEngine], truth: World) -> None:
    engine = engines["marketEnforcementCore"]
    table = await reflected(engine, "AJ_JBXX")
    columns = (table.c.AH, table.c.LARQ, table.c.CDRQ, table.c.FKJE, table.c.JAKB)
    found = await rows(engine, select(*columns).where(table.c.DSR_DM.in_([KNOWN, BUSY])).order_by(table.c.AH))

    wanted = sorted((case for case in truth.enforcement_cases if case.uscc in (KNOWN, BUSY)), key=lambda case: case.case_no)
    assert found == [(c.case_no, c.filed_on, c.decided_on, c.penalty_amount, "是" if c.summary_procedure else "否") for c in wanted]
    day = date(2024, 1, 1)
    since = await rows(engine, select(func.count()).select_from(table).where(day <= table.c.LARQ))
    assert since == [(sum(case.filed_on >= day for case in truth.enforcement_cases),)]
    assert await rows(engine, select(table.c.AH).where(table.c.DSR_DM.is_(None)).order_by(table.c.AH).limit(1)) == [
        (min(case.case_no for case in truth.enforcement_cases if case.uscc is None),)
    ]


async def test_the_catalogue_counts_and_searches(departments: Departments, engines: dict[str, AsyncEngine], truth: World) -> None:
    engine = engines["adminPermitCatalogue"]
    table = await reflected(engine, "XK_SX")
    count = select(func.count()).select_from(table)

    assert await rows(engine, count) == [(433,)]
    assert await rows(engine, count.where(table.c.SDCJ.in_(["2", "3"]))) == [(36,)]
    assert await rows(engine, count.where(table.c.SFXF == 1)) == [(198,)]
    by_prefix = select(table.c.SXMC).where(table.c.SXMC.startswith("食品", autoescape=True)).order_by(table.c.SXBM)
    items = sorted(truth.permit_items, key=lambda item: item.item_code)
    assert await rows(engine, by_prefix) == [(item.name,) for item in items if item.name.startswith("食品")]


@pytest.mark.parametrize(
    "value", ["it's", 'a "b"', "\\", "\\'", "''", "100%", "a_b", "行\n列\t末", "`", "%s", "?", "'; DROP TABLE XK_SX; --"]
)
async def test_text_of_any_kind_is_a_value_and_nothing_else(departments: Departments, engines: dict[str, AsyncEngine], value: str) -> None:
    engine = engines["adminPermitCatalogue"]
    table = await reflected(engine, "XK_SX")

    assert await rows(engine, select(table.c.SXMC).where(table.c.SXMC.in_([value, "药品经营许可"]))) == [("药品经营许可",)]
    assert await rows(engine, select(bindparam("v", value)).select_from(table).limit(1)) == [(value,)]


async def test_text_may_be_asked_for_byte_by_byte(departments: Departments, engines: dict[str, AsyncEngine], truth: World) -> None:
    name = "CAST(CONVERT(`SXMC` USING utf8mb4) AS BINARY)"
    sql = f"SELECT `SXMC` FROM `XK_SX` WHERE {name} >= '药' AND `SXMC` COLLATE utf8mb4_bin < '蓝' ORDER BY {name} DESC LIMIT 3"

    names = sorted((item.name for item in truth.permit_items if "药" <= item.name < "蓝"), reverse=True)
    assert await rows(engines["adminPermitCatalogue"], text(sql)) == [(found,) for found in names[:3]]
    assert len(names) > 3


async def test_a_session_may_be_set_up_in_mysqls_words(departments: Departments, engines: dict[str, AsyncEngine]) -> None:
    async with engines["legalEntityRegister"].connect() as connection:
        for statement in (
            "SET SESSION TRANSACTION READ ONLY",
            "SET @mine = 1 /*!50708 , SESSION max_execution_time = 60000 */",
            "BEGIN",
            "COMMIT",
        ):
            await connection.execute(text(statement))
        assert (await connection.execute(text("SELECT DATABASE()"))).scalar() == "demo"


async def test_a_table_can_be_looked_up_with_its_comments(departments: Departments, engines: dict[str, AsyncEngine]) -> None:
    def look(connection: Connection) -> tuple[list[str], list[Any], list[str], str | None]:
        found = inspect(connection)
        columns = found.get_columns("AJ_JBXX")
        key = found.get_pk_constraint("AJ_JBXX")["constrained_columns"]
        return found.get_table_names(), list(columns), key, found.get_table_comment("AJ_JBXX")["text"]

    async with engines["marketEnforcementCore"].connect() as connection:
        names, columns, key, comment = await connection.run_sync(look)
    assert (names, key, comment) == (["AJ_JBXX"], ["AH"], "案件基本信息")
    described = {column["name"]: (str(column["type"]), column["nullable"], column["comment"]) for column in columns}
    assert described["AH"] == ("VARCHAR(30)", False, "案号")
    assert described["LARQ"] == ("DATE", True, "立案日期")
    assert described["FKJE"] == ("DECIMAL(14, 2)", True, "罚款金额（元）")
    assert (await departments.calls())["marketEnforcementCore"].calls == 0, "looking at the structure is no request for data"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT no_such FROM T_FRXX", 1054),
        ("SELECT * FROM T_NOWHERE", 1146),
        ("SELECT FROM WHERE T_FRXX", 1064),
        ("DELETE FROM T_FRXX", 1290),
        ("DROP TABLE T_FRXX", 1290),
        ("INSERT INTO T_FRXX (TYSHXYDM) VALUES ('1')", 1290),
    ],
)
async def test_a_bad_statement_is_refused_with_mysqls_code(
    departments: Departments, engines: dict[str, AsyncEngine], statement: str, code: int
) -> None:
    async with engines["legalEntityRegister"].connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text(statement))
        assert refused.value.orig is not None
        assert refused.value.orig.args[0] == code
        await connection.rollback()
        assert (await connection.execute(text("SELECT COUNT(*) FROM T_FRXX"))).scalar() == 300
