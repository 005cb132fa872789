"""Whether what a manifest binds fits the canonical types: fields, types, enum values, keys, grades.

A source may promise more than the canonical type (``!``), never less. Knows nothing of how rows are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphql import GraphQLEnumType, GraphQLField, is_enum_type, is_object_type

from schema.entries import FieldEntry, TypeEntry
from schema.faults import correction, suggest
from schema.shapes import Shape, is_leaf, shape_of, shape_of_type
from schema.world import Bound, Sheet


def check_bound(sheet: Sheet) -> None:
    """Report every field of ``type X``, X canonical, that does not fit X, and every faulty key and enum."""
    for entry in sheet.manifest.types:
        if entry.name in sheet.world.canonical and not entry.extends and entry.name != "Query":
            if entry.form == "enum":
                _check_enum(sheet, entry)
            else:
                _check_type(sheet, entry)
        elif entry.form == "enum":
            _check_texts(sheet, entry)
    for bound in sheet.types.values():
        _check_keys(sheet, bound)


def _check_type(sheet: Sheet, entry: TypeEntry) -> None:
    canonical = sheet.world.type(entry.name)
    if not is_object_type(canonical) or entry.form != "object":
        sheet.report(
            "TYPE_MISMATCH",
            entry.name_node,
            f"'{entry.name}' is not an object type in the canonical schema.",
            "bind a canonical object type",
        )
        return
    own = {each.name for other in sheet.manifest.types if other.extends and other.name == entry.name for each in other.fields.values()}
    for field in entry.fields.values():
        if field.name in own:
            sheet.report(
                "DEFINED_TWICE", field.node, f"'{entry.name}.{field.name}' is given in `type` and in `extend type`.", "keep one of the two"
            )
        elif field.name not in canonical.fields or _is_contributed(sheet, entry.name, field.name):
            known = [name for name in canonical.fields if not _is_contributed(sheet, entry.name, name)]
            message = f"The canonical type '{entry.name}' has no field '{field.name}'.{suggest(field.name, known)}"
            fix = correction(field.name, known, f"contribute the field in `extend type {entry.name}`")
            sheet.report("UNKNOWN_FIELD", field.node, message, fix)
        else:
            _check_assignable(sheet, entry.name, field)
            _check_arguments(sheet, entry.name, field, canonical.fields[field.name])


def _is_contributed(sheet: Sheet, type_name: str, field_name: str) -> bool:
    """Fields that another manifest added to the canonical type are bound there, not here."""
    return f"{type_name}.{field_name}" not in sheet.world.canonical


def _check_assignable(sheet: Sheet, type_name: str, field: FieldEntry) -> None:
    wanted = sheet.world.field_shape(type_name, field.name)
    given = sheet.world.plain(shape_of(field.type))
    assert wanted is not None
    if given.name == wanted.name and given.lists == wanted.lists:
        missing = [needs and not has for needs, has in zip(wanted.required, given.required, strict=True)]
        # A list that a call of its own brings is never null in the schema's eyes before it is fetched.
        if not any(missing) or "join" in field.words or "get" in field.words or "field" in field.words:
            return
    sheet.report(
        "TYPE_MISMATCH",
        field.type,
        f"'{type_name}.{field.name}' is {_shown(wanted)}, not {_shown(given)}.",
        f"write {field.name}: {wanted}",
    )


def _check_arguments(sheet: Sheet, type_name: str, field: FieldEntry, canonical: GraphQLField) -> None:
    """Arguments of a bound field are those of the canonical field; others nobody could ever give."""
    for name, argument in field.arguments.items():
        if "require" in argument.words:
            continue
        if name not in canonical.args:
            message = f"The canonical field '{type_name}.{field.name}' has no argument '{name}'.{suggest(name, canonical.args)}"
            fix = correction(name, canonical.args, "remove it, or let it @require another field")
            sheet.report("NO_SUCH_ARGUMENT", argument.node, message, fix)
            continue
        wanted, given = shape_of_type(canonical.args[name].type), shape_of(argument.type)
        if (given.name, given.lists) != (wanted.name, wanted.lists):
            message = f"The argument '{name}' of '{type_name}.{field.name}' is {_shown(wanted)}, not {_shown(given)}."
            sheet.report("TYPE_MISMATCH", argument.type, message, f"write {name}: {wanted}")


def _shown(shape: Shape) -> str:
    return f"'{shape}'"


def _check_enum(sheet: Sheet, entry: TypeEntry) -> None:
    canonical = sheet.world.type(entry.name)
    if not is_enum_type(canonical):
        sheet.report(
            "TYPE_MISMATCH", entry.name_node, f"'{entry.name}' is not an enum in the canonical schema.", "use type for an object type"
        )
        return
    assert isinstance(canonical, GraphQLEnumType)
    for value in entry.values.values():
        if value.name not in canonical.values:
            message = f"The canonical enum '{entry.name}' has no value '{value.name}'.{suggest(value.name, canonical.values)}"
            fix = correction(value.name, canonical.values, f"map the text to one of {', '.join(canonical.values)}")
            sheet.report("UNKNOWN_ENUM_VALUE", value.node, message, fix)
    _check_texts(sheet, entry)


def _check_texts(sheet: Sheet, entry: TypeEntry) -> None:
    seen: dict[str, str] = {}
    for value in entry.values.values():
        text = native_text(value.words["from"].args.get("path") if "from" in value.words else None, value.name)
        if text in seen:
            sheet.report("ENUM_TEXT_TWICE", value.node, f"{text!r} already stands for '{seen[text]}'.", "give each value a text of its own")
        seen.setdefault(text, value.name)


def native_text(path: str | None, name: str) -> str:
    """What the source writes for an enum value."""
    return name if path is None else path


def _check_keys(sheet: Sheet, bound: Bound) -> None:
    for word in bound.keys:
        for name in word.args["fields"]:
            shape = sheet.leaf_shape(bound.name, name)
            if shape is None:
                owner = sheet.world.type(bound.name)
                near = suggest(name, {*bound.fields, *getattr(owner, "fields", {})})
                sheet.report(
                    "BAD_KEY", word.value_node("fields"), f"'{bound.name}' has no field '{name}' to be a key.{near}", "name existing fields"
                )
            elif shape.lists or not is_leaf(sheet.world.type(shape.name)):
                sheet.report(
                    "BAD_KEY",
                    word.value_node("fields"),
                    f"'{bound.name}.{name}' is '{shape}'; a key is made of plain values.",
                    "choose scalar fields",
                )


def enum_values(entry: TypeEntry) -> Mapping[str, str]:
    """Native text -> canonical value, for the values that a manifest lists."""
    return {
        native_text(value.words["from"].args.get("path") if "from" in value.words else None, value.name): value.name
        for value in entry.values.values()
    }
