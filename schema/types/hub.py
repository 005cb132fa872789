"""The hub about itself: who the caller is to it, and which systems it is connected to.

These fields have resolvers of their own; the engine leaves them alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from schema.control import SystemInfo, caller, directory
from schema.coordinates import Grade
from schema.scalars import DateTime
from schema.types.planned import meanings, policy, words


@meanings(
    ANONYMOUS=("匿名", "Nobody in particular"),
    APP=("前端应用", "A front-end application"),
    PARTNER=("合作省市", "A partner province"),
    OPERATOR=("运维人员", "An operator of the hub"),
)
@strawberry.enum(name="Audience", description=words("调用方类别", "Kind of caller"))
class CallerAudience(StrEnum):
    ANONYMOUS = "ANONYMOUS"
    APP = "APP"
    PARTNER = "PARTNER"
    OPERATOR = "OPERATOR"


@meanings(
    L1=("不敏感", "Not sensitive"),
    L2=("低敏感", "Of low sensitivity"),
    L3=("较敏感", "Rather sensitive"),
    L4=("敏感", "Sensitive"),
)
@strawberry.enum(name="Grade", description=words("数据分级", "Sensitivity of data"))
class DataGrade(StrEnum):
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


@meanings(
    OK=("正常", "Answers"),
    DEGRADED=("部分可用", "Answers in part or slowly"),
    DOWN=("不可用", "Does not answer"),
    UNKNOWN=("未知", "Was not asked yet"),
)
@strawberry.enum(name="Health", description=words("系统健康状况", "Health of a system"))
class SystemHealth(StrEnum):
    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


@meanings(
    CLOSED=("照常调用", "Calls go out"),
    HALF_OPEN=("试探调用中", "Few calls go out to try"),
    OPEN=("暂停调用", "It is left alone for a while"),
)
@strawberry.enum(name="Breaker", description=words("熔断状态", "Whether a system is left alone"))
class SystemBreaker(StrEnum):
    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


def shown(zh: str, en: str) -> Any:
    """A field that lies in the object itself. All of these are L1."""
    return strawberry.field(description=words(zh, en), metadata=policy(Grade.L1))


@strawberry.type(description=words("当前调用方", "The caller"))
class Me:
    client: str | None = shown("客户端编号，匿名时为空", "Client id; null when anonymous")
    audience: CallerAudience = shown("调用方类别", "Kind of caller")
    scopes: list[str] = shown("已授予的权限范围", "Scopes granted")
    grade: DataGrade = shown("可见的最高数据分级", "Highest grade of data that the client may see")


@strawberry.type(description=words("健康状况的一次变化", "A change of a system's health"))
class HealthChange:
    at: DateTime = shown("变化时间", "When")
    health: SystemHealth = shown("变化后的状况", "What it was from then on")
    reason: str | None = shown("原因(错误代码)", "The error code that made it so")


@strawberry.type(description=words("一次失败的调用", "A call that failed"))
class FailedCall:
    at: DateTime = shown("时间", "When")
    code: str = shown("错误代码", "Error code")
    relation: str = shown("所调用的接口或表", "What was asked")


@strawberry.type(name="System", description=words("已接入的业务系统", "A connected system"))
class ConnectedSystem:
    name: str = shown("系统标识", "Name")
    title: str = shown("系统名称", "Title")
    owner: str = shown("所属部门", "Owning department")
    kind: str | None = shown("接入方式，仅运维人员可见", "Kind of connection; operators only")
    health: SystemHealth | None = shown("健康状况，仅运维人员可见", "Health; operators only")
    health_since: DateTime | None = shown("此状况起始时间，仅运维人员可见", "Since when it is so; operators only")
    health_reason: str | None = shown("此状况的原因(错误代码)，仅运维人员可见", "The error code that made it so; operators only")
    breaker: SystemBreaker | None = shown("熔断状态，仅运维人员可见", "Whether it is left alone; operators only")
    last_success: DateTime | None = shown("最近一次成功调用的时间，仅运维人员可见", "When a call last succeeded; operators only")
    last_failure: FailedCall | None = shown("最近一次失败的调用，仅运维人员可见", "The last call that failed; operators only")
    health_history: list[HealthChange] | None = shown("状况变化记录，新的在前，仅运维人员可见", "Its changes, latest first; operators only")


def _show(system: SystemInfo, *, details: bool) -> ConnectedSystem:
    shown = ConnectedSystem(
        name=system.name,
        title=system.title,
        owner=system.owner,
        kind=None,
        health=None,
        health_since=None,
        health_reason=None,
        breaker=None,
        last_success=None,
        last_failure=None,
        health_history=None,
    )
    if details:
        condition, failure = system.condition, system.condition.last_failure
        shown.kind, shown.health = system.kind, SystemHealth(system.health)
        shown.health_since, shown.health_reason = _time(condition.since), condition.reason or None
        shown.breaker, shown.last_success = SystemBreaker(condition.breaker), _time(condition.last_success)
        shown.last_failure = None if failure is None else FailedCall(at=_at(failure.at), code=failure.code, relation=failure.relation)
        shown.health_history = [
            HealthChange(at=_at(one.at), health=SystemHealth(one.health), reason=one.reason or None) for one in condition.history
        ]
    return shown


def _time(at: datetime | None) -> DateTime | None:
    return None if at is None else _at(at)


def _at(at: datetime) -> DateTime:
    return DateTime(at.isoformat(timespec="seconds"))


def _me(info: strawberry.Info[Any, Any]) -> Me:
    asking = caller(info.context)
    return Me(
        client=asking.id or None,
        audience=CallerAudience(asking.audience.upper()),
        scopes=sorted(asking.scopes),
        grade=DataGrade(asking.ceiling.name),
    )


def _systems(info: strawberry.Info[Any, Any]) -> list[ConnectedSystem]:
    details = caller(info.context).audience.upper() == CallerAudience.OPERATOR
    return [_show(system, details=details) for system in directory(info.context).systems()]


@strawberry.type(description=words("枢纽自身的信息", "The hub about itself"))
class Hub:
    me: Me = strawberry.field(resolver=_me, description=words("当前调用方", "The caller"), metadata=policy(Grade.L1))
    systems: list[ConnectedSystem] = strawberry.field(
        resolver=_systems, description=words("已接入的业务系统", "The connected systems"), metadata=policy(Grade.L1)
    )
