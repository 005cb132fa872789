"""One manifest's bindings: what each of its fields and types becomes in the registry.

    type Query { f(…): X @lookup @get(…) }      LOOKUP of X, by the arguments
    type X @table(…) | @file(…) | @topic(…)     LOOKUP of X by its key, and SCAN
    type P { f: [X!] @get | @field | @join }    LINK from P to X, by P's key
    type P { f: Int @get | @field }             LOOKUP of P, by its key, for that value alone
    type Query { f: [X!] @get(…) }              SCAN of X
    extend type Query { f: [X!] @get(…) }       SCAN of X for that root alone
    extend type Query { f(…): X }               a public root that looks X up
    extend type Mutation { f(…): X @send(…) }   WRITE
    … type Subscription { f(…): X @topic(…) }   EVENTS

``@call`` stands wherever ``@get`` does here, and for ``@send``.

Must not know other manifests but through ``World``.
"""

from __future__ import annotations

from graphql import is_abstract_type, is_object_type

from schema.actions import bind_action
from schema.binder import Binder, Bindings
from schema.entries import FieldEntry
from schema.links import bind_link, bind_scan, brought
from schema.lookups import bind_lookup, bind_table
from schema.registry import RootLookup
from schema.rows import has_place
from schema.shapes import is_leaf
from schema.words import ACTIONS, TABLES
from schema.world import Sheet, actions, roots, table_of


def bind(sheet: Sheet) -> Bindings:
    """All bindings of one manifest. Faults go to the sheet; what is faulty is left out."""
    binder = Binder(sheet)
    for public in (False, True):
        for entry in roots(sheet.manifest, public=public):
            _not_required(sheet, entry)
    for entry in roots(sheet.manifest, public=False):
        _private(binder, entry)
    for entry in roots(sheet.manifest, public=True):
        if entry.broken:
            sheet.used.add(sheet.shape(entry).name)
        else:
            _public(binder, entry)
    for root in ACTIONS:
        for entry in actions(sheet.manifest, root):
            if entry.broken:
                sheet.used.add(sheet.shape(entry).name)
            else:
                bind_action(binder, entry, root)
    for bound in sheet.types.values():
        if table_of(bound.words) is not None:
            bind_table(binder, bound)
        for entry in bound.fields.values():
            if has_place(entry) and not entry.broken:
                bind_link(binder, bound, entry)
            elif entry.broken:
                sheet.used.add(sheet.shape(entry).name)
    _unused(binder)
    return binder.made


def _not_required(sheet: Sheet, entry: FieldEntry) -> None:
    """At the root there is no entity yet that a field could be required of."""
    for argument in entry.arguments.values():
        if "require" in argument.words:
            message = f"'{entry.name}' is asked before there is an entity to require a field of."
            sheet.report("MISPLACED_WORD", argument.words["require"].node, message, "put @require on a field of the entity's type")


def _private(binder: Binder, entry: FieldEntry) -> None:
    """A field of ``type Query``: a lookup, or a list of all."""
    lists = binder.sheet.shape(entry).lists
    if "lookup" not in entry.words and lists == 1:
        found = brought(binder, entry)
        if found is not None:
            bind_scan(binder, found, entry, None)
        return
    bound = binder.element(entry)
    if bound is None:
        return
    if "lookup" in entry.words and not lists:
        bind_lookup(binder, bound, entry)
    elif lists:
        binder.sheet.report("NOT_SUPPORTED", entry.node, "A lookup brings one entity.", "remove the list")
    else:
        message = f"'{entry.name}' in `type Query` is neither a lookup nor a list."
        binder.sheet.report("NOT_SUPPORTED", entry.node, message, "add @lookup, or write `extend type Query` for a public field")


def _public(binder: Binder, entry: FieldEntry) -> None:
    """A field of ``extend type Query``: finds one entity by key, or is a list with a call of its own."""
    sheet = binder.sheet
    coordinate, shape = f"Query.{entry.name}", sheet.shape(entry)
    type_ = sheet.world.type(shape.name)
    if type_ is None:
        return  # reported where the schema was extended
    if is_leaf(type_) or shape.lists > 1 or (is_abstract_type(type_) and not shape.lists):
        message = "A public root field brings an entity or a list of objects."
        sheet.report("NOT_SUPPORTED", entry.type, message, "put plain values on a type")
    elif shape.lists:
        found = brought(binder, entry)
        # The table's own list answers a root without a call.
        if found is not None and (has_place(entry) or table_of(found.words) is None):
            bind_scan(binder, found, entry, coordinate)
    elif has_place(entry):
        sheet.report("NOT_SUPPORTED", entry.node, f"'{coordinate}' has a call of its own.", "move the call to a @lookup in `type Query`")
    else:
        arguments = binder.arguments(shape.name, entry)
        if arguments is not None:
            binder.made.roots.append(RootLookup(coordinate, shape.name, arguments))


def _unused(binder: Binder) -> None:
    """Fields that are bound, but that no call brings."""
    sheet = binder.sheet
    for bound in sheet.types.values():
        keys = sheet.key_fields(bound.name)
        plain = [entry for entry in bound.fields.values() if not has_place(entry) and not entry.broken and entry.name not in keys]
        if bound.name in sheet.used or bound.name in sheet.world.slips or not plain:
            continue
        if not is_object_type(sheet.world.type(bound.name)):
            continue  # reported where it was compared with the schema
        node = bound.keys[0].node if bound.keys else plain[0].node
        message = f"'{bound.name}.{plain[0].name}' is bound, but nothing in this file brings rows of '{bound.name}'."
        table = "".join(f", or @{name}" for name, kind in TABLES.items() if kind == sheet.kind)
        sheet.report("KEY_WITHOUT_LOOKUP", node, message, f"add a @lookup to `type Query`{table}, or a field that carries it")
