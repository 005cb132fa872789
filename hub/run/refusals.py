"""Errors of an answer as they go out: coded, bilingual, without a system's name; capped where the hub says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from hub.errors import CODES, Refused, message
from hub.plan.operation import Nodes
from hub.run.layers import Fault
from hub.run.positions import Located
from schema.scalars import identifier_error


def shown(errors: Sequence[Located], limit: int | None, nodes: Nodes) -> list[GraphQLError]:
    """Located errors as GraphQL errors; past ``limit`` one more says how many were left out. ``nodes`` are those of the request's own
    document."""
    kept = errors if limit is None else errors[:limit]
    found = [
        GraphQLError(
            message(error.fault.code, error.fault.zh, error.fault.en),
            list(nodes[error.place.number]),
            path=list(error.path),
            extensions={"code": error.fault.code, "retryable": CODES[error.fault.code].retryable},
        )
        for error in kept
    ]
    if len(kept) < len(errors):
        omitted = len(errors) - len(kept)
        found.append(GraphQLError(message("ERRORS_OMITTED"), extensions={"code": "ERRORS_OMITTED", "omitted": omitted}))
    return found


def fault_error(fault: Fault) -> GraphQLError:
    """A fault of a whole operation, which has no place in its data."""
    extensions = {"code": fault.code, "retryable": CODES[fault.code].retryable}
    return GraphQLError(message(fault.code, fault.zh, fault.en), extensions=extensions)


def request_error(code: str, detail: str = "", error: GraphQLError | None = None) -> GraphQLError:
    """A request error with its code; of a variable's error the identifier's own refusal is kept."""
    if error is None:
        return GraphQLError(f"{message(code)} {detail}".strip(), extensions={"code": code})
    named = identifier_error(error)
    if named is not None:
        return named
    if error.message.startswith(("Unknown operation", "Must provide")):
        code = "OPERATION_NOT_FOUND"
    return GraphQLError(f"{CODES[code].zh} {error.message}", error.nodes, path=error.path, extensions={"code": code})


def refusal(refused: Refused) -> GraphQLError:
    """A request error that says what exactly."""
    return GraphQLError(message(refused.code, refused.zh, refused.en), extensions={"code": refused.code, **refused.data})


def build_error(error: GraphQLError) -> dict[str, Any]:
    """The JSON form. An error without a code of ours came from validation, or from a resolver that failed."""
    error = identifier_error(error) or error
    formatted: dict[str, Any] = dict(error.formatted)
    extensions = dict(error.extensions or {})
    if "code" not in extensions:
        if error.path is not None:  # a resolver of the hub itself raised: nothing of it goes out
            formatted["message"] = message("INTERNAL")
            extensions["code"] = "INTERNAL"
        else:
            extensions["code"] = "GRAPHQL_VALIDATION_FAILED"
    formatted["extensions"] = extensions
    return formatted
