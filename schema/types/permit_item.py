"""PermitItem: an item of the province's administrative permit catalogue, by its code (GB/T 39554.1)."""

import strawberry

from schema.scalars import USCC, ItemCode
from schema.types.enums import ExerciseLevel, SettingLevel
from schema.types.planned import planned, words


@strawberry.type(description=words("行政许可事项", "An administrative permit item"))
class PermitItem:
    item_code: ItemCode = planned("事项编码", "Item code")
    name: str | None = planned("事项名称", "Name of the item")
    setting_level: SettingLevel | None = planned("设定层级", "The level of law that sets the permit")
    legal_basis: list[str] | None = planned("设定依据", "Legal basis")
    lead_dept: str | None = planned("主管部门", "Department in charge")
    implementing_depts: list[USCC] | None = planned("实施机关", "Bodies that grant the permit")
    exercise_levels: list[ExerciseLevel] | None = planned("行使层级", "Levels of government that grant it")
    conditions: str | None = planned("许可条件", "Conditions for the permit")
    validity_years: int | None = planned("有效期（年）", "Validity in years")
    fee_required: bool | None = planned("是否收费", "Whether a fee is charged")
    quantity_limit: bool | None = planned("是否有数量限制", "Whether the number of permits is limited")
    annual_check: bool | None = planned("是否年检或年报", "Whether it is checked or reported yearly")
    delegated: bool | None = planned("是否下放", "Whether the province has delegated it")
    version_year: int | None = planned("清单版本年份", "Year of the catalogue's version")
