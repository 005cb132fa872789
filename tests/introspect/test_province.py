"""The demo's databases as a stranger meets them: what is proposed is what people wrote in the manifests of the house."""

from __future__ import annotations

import pytest

from connectors.kinds import KINDS
from demo.supervisor import Departments
from hub.connected import composed, packaged
from hub.introspect.propose import propose
from hub.introspect.tables import find
from hub.introspect.write import manifest
from schema.canonical import canonical
from schema.compose import compose, parse_manifest
from schema.reach import all_bindings
from schema.registry import Registry
from tests.introspect.small import standard

DATABASES = {
    "legalEntityRegister": "LEGAL_ENTITY_REGISTER_URL",
    "marketEnforcementCore": "MARKET_ENFORCEMENT_CORE_URL",
    "adminPermitCatalogue": "ADMIN_PERMIT_CATALOGUE_URL",
}
# Codes whose meaning no comment tells, and a list in commas: what a person has to add.
LEFT = {"Enterprise.entityType", "EnforcementCase.link", "PermitItem.settingLevel", "PermitItem.exerciseLevels"}


def bound(registry: Registry, system: str) -> dict[str, tuple[str, str | None]]:
    """Canonical field → (column, format), of the lookups of a system."""
    known = {f"{name}.{field.name}" for name, entity in standard().types.items() for field in entity.fields}
    return {
        f"{binding.type}.{column.name}": (column.path, column.format)
        for binding in all_bindings(registry)
        if binding.system == system
        for column in binding.relation.fields
        if f"{binding.type}.{column.name}" in known
    }


@pytest.mark.parametrize("system", DATABASES)
async def test_what_is_proposed_is_what_people_wrote(system: str) -> None:
    variable = DATABASES[system]
    async with Departments((system,)) as departments:
        found = await find(departments.environment()[variable], variable=variable)
    text = manifest(propose(found, standard(), name=system))
    whole = compose(canonical(), [parse_manifest(text, "new.graphql")], kinds=set(KINDS))
    assert whole.ok
    written = bound(composed(packaged()).registry, system)
    assert bound(whole.registry, system) == {name: place for name, place in written.items() if name not in LEFT}
