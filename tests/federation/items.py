"""What a federation can say, item by item, and the cases that show it: the rows of docs/estates.md.

A case is called as in ``test_estates``. Two items are of no estate, since they come before any query: tests show them, as ``module::test``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.federation.estate import Case, Estate
from tests.federation.estates import ESTATES

CASES: Mapping[str, tuple[Estate, Case]] = {
    f"{estate.name}-{case.title or number}": (estate, case) for estate in ESTATES for number, case in enumerate(estate.cases)
}


@dataclass(frozen=True, slots=True)
class Item:
    """``name`` in Markdown, ``zh`` the same in Chinese, and what shows it."""

    name: str
    zh: str
    cases: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


ITEMS = (
    Item(
        "SDL by `_service`", "由 `_service` 取得 SDL", tests=("test_among_manifests::test_a_subgraph_is_added_by_what_it_tells_of_itself",)
    ),
    Item("SDL from a file", "SDL 文件", tests=("test_among_manifests::test_an_object_of_a_department_has_fields_that_subgraphs_tell",)),
    Item("syntax of version 1", "第一版语法", ("external_extensions-needed", "external_extensions-one_extension_to_another")),
    Item("syntax of version 2", "第二版语法", ("key_compound-0", "requires_nested-hidden")),
    Item("`@key`, compound", "复合键", ("key_compound-0", "key_compound-key_and_title")),
    Item("`@key`, nested", "嵌套键", ("key_nested-0", "key_nested-key_not_asked_for")),
    Item("`@key`, several", "多个键", ("key_several-one_hop", "key_several-two_hops", "key_several-a_key_at_the_end")),
    Item("`@key(resolvable: false)`", "不可解析的键", ("key_unresolvable-there", "key_unresolvable-never_back")),
    Item(
        "keys that another graph's view has",
        "键在另一子图的视图中",
        ("keys_of_another_view-from_where_the_rest_is_had", "keys_of_another_view-one_has_no_key_and_another_has"),
    ),
    Item("`@requires`, nested", "嵌套依赖", ("requires_nested-hidden", "requires_nested-beside_its_own")),
    Item(
        "`@requires` with arguments",
        "带参数的依赖",
        (
            "requires_arguments-hidden",
            "requires_arguments-beside_a_variable",
            "requires_arguments-beside_other_arguments",
            "requires_arguments_conflict-two_values_of_one_field",
        ),
    ),
    Item(
        "`@requires` with fragments",
        "带片段的依赖",
        ("requires_fragments-by_type", "requires_fragments-only_the_type", "requires_interface-fragments_on_its_types"),
    ),
    Item("`@requires`, chains", "依赖链", ("requires_chain-all_of_it", "requires_chain-beside_what_needs_nothing")),
    Item(
        "`@requires`, circular between two subgraphs",
        "两子图互相依赖",
        ("requires_circle-there_and_back", "requires_circle-and_there_again"),
    ),
    Item("`@requires` on interfaces", "接口上的依赖", ("requires_interface-each_its_own", "requires_interface-through_a_field")),
    Item("`@requires` of another entity", "依赖另一实体", ("requires_of_another_entity-hidden",)),
    Item("`@provides`, nested", "嵌套提供", ("provides_nested-both_provided", "provides_nested-part_provided")),
    Item(
        "`@provides` on interfaces",
        "接口上的提供",
        ("provides_interface-fields_of_the_interface", "provides_interface-only_the_rest", "provides_abstract-implementations"),
    ),
    Item("`@provides` on unions", "联合上的提供", ("provides_abstract-members_of_a_union", "provides_abstract-one_of_them")),
    Item("`@external` with extensions", "扩展中的 `@external`", ("external_extensions-provided", "external_extensions-all_three")),
    Item("`@override`", "接管字段", ("override-taken_over", "override-at_hand", "override-the_rest_stays")),
    Item(
        "`@override`, a subgraph that is not available",
        "被接管或接管的子图不可用",
        (
            "override_of_a_subgraph_that_is_gone-as_if_never_there",
            "override-whom_it_was_taken_from_is_down",
            "override-who_took_over_is_down",
        ),
    ),
    Item(
        "`@override` with `@requires`",
        "接管并依赖",
        ("override_requires-needed_from_whom_took_over", "override_requires-taken_over_with_its_need"),
    ),
    Item(
        "`@override` on interface members",
        "接管接口成员的字段",
        ("override_of_interface_members-one_member", "override_of_interface_members-the_other_stays"),
    ),
    Item("`@shareable`", "共享字段", ("shareable-at_hand", "shareable-part_of_a_value", "shareable-only_the_rest")),
    Item("`@inaccessible`", "不可见", ("inaccessible-a_key_that_nobody_sees", "inaccessible-a_field", "inaccessible-a_type")),
    Item("`@interfaceObject`", "接口对象", ("interface_object-from_the_interface", "interface_object-the_type_is_asked_for")),
    Item("`@interfaceObject`, not resolvable", "不可解析的接口对象", ("interface_object_unresolvable-the_rest",)),
    Item(
        "`@interfaceObject` with `@requires`",
        "接口对象的依赖",
        (
            "interface_object_requires-from_the_interface",
            "interface_object_requires-there_and_back",
            "interface_object_requires-types_that_require_different_things",
            "interface_object_requires-each_type_its_own",
        ),
    ),
    Item(
        "`@interfaceObject`, extended indirectly",
        "接口对象的间接扩展",
        ("interface_object_extended_elsewhere-a_type_of_a_third", "interface_object_extended_elsewhere-one_object_to_another"),
    ),
    Item("`@tag`", "标签", ("inaccessible-a_key_that_nobody_sees",)),
    Item("`@authenticated`", "须登录", ("rights-known", "rights-unknown", "rights-a_root_unknown")),
    Item("`@requiresScopes`", "须有权限范围", ("rights-one_scope_of_two_ways", "rights-half_of_the_scopes", "rights-a_type_and_its_field")),
    Item("`@policy`", "须合策略", ("rights-a_policy", "rights-no_policy")),
    Item("entity interfaces", "实体接口", ("entity_interface-all_types", "entity_interface-one_type", "entity_interface-at_home")),
    Item("enum intersection", "枚举取交集", ("enum_intersection-common_values_go_in", "enum_intersection-all_values_come_out")),
    Item("input-object intersection", "输入类型取交集", ("input_intersection-literals", "input_intersection-a_variable")),
    Item("unions that differ by subgraph", "各子图联合不同", ("union_differs-unknown_to_one", "union_differs-the_wider")),
    Item(
        "child types that differ by subgraph", "各子图字段类型不同", ("child_types_differ-of_one_name", "child_types_differ-of_two_names")
    ),
    Item(
        "`__typename` at any depth",
        "任意深度的 `__typename`",
        ("typenames-of_the_root", "typenames-on_the_way", "batches-type_names_within"),
    ),
    Item("null keys", "空键", ("null_keys-0",)),
    Item("shared root fields", "共享根字段", ("shared_roots-a_share_of_each", "shared_roots-one_has_all")),
    Item("mutations in order", "变更依次执行", ("mutations-in_order", "mutations-and_what_it_leads_to", "mutations-nothing_to_change")),
    Item(
        "`@skip` and `@include` without needless calls",
        "`@skip`、`@include` 不多调用",
        ("conditions-not_included", "conditions-included", "conditions-a_fragment", "conditions-a_root", "conditions-nothing_left"),
    ),
    Item("`_entities` batches", "批量取实体", ("batches-each_key_once", "batches-two_places", "batches-two_types", "batches-two_roots")),
    Item("arguments that differ by subgraph", "各子图参数不同", ("arguments_differ-common_arguments", "arguments_differ-defaults")),
    Item("a subgraph that fails", "子图出错", ("faults-one_of_a_batch", "faults-one_is_down", "faults-what_is_needed_is_down")),
)
