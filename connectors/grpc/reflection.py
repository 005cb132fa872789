"""What a gRPC server says of its services: gRPC server reflection, v1, and v1alpha where the server knows no other.

The answer is files in the form of ``FileDescriptorProto``, with all that they import. Must not know what stands in a service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf import (  # type: ignore[import-untyped]
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from grpc_reflection.v1alpha.reflection_pb2 import (  # type: ignore[import-untyped]
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from connectors.answers import broken
from connectors.grpc.channel import Channel, Failure
from connectors.settings import nearest, refused
from connectors.spi import Call, SourceError

# Messages of both are the same on the wire.
_METHODS = tuple(f"grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha"))
_MOST_FILES = 500
# Files that everybody imports, and some servers do not bring.
_OWN: Mapping[str, bytes] = {
    one.DESCRIPTOR.name: one.DESCRIPTOR.serialized_pb
    for one in (any_pb2, descriptor_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
}


class Reflection:
    """Asks over ``channel``. Remembers which version the server speaks, and nothing else."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._method = ""

    async def services(self, call: Call) -> tuple[str, ...]:
        """The names of all services but reflection's own, sorted. Raises SourceError."""
        (answer,) = await self._ask([ServerReflectionRequest(list_services="*")], call)
        found = sorted(one.name for one in answer.list_services_response.service)
        return tuple(name for name in found if not name.startswith("grpc.reflection."))

    async def files(self, service: str, call: Call) -> tuple[bytes, ...]:
        """The file that holds a service and those that it imports. Raises SourceError: ``config`` where there is no such service."""
        (answer,) = await self._ask([ServerReflectionRequest(file_containing_symbol=service)], call)
        there = [] if answer.HasField("error_response") else _read(answer.file_descriptor_response.file_descriptor_proto)
        if service not in [f"{file.package}.{one.name}".lstrip(".") for file in there for one in file.service]:
            raise refused(f"the source has no service '{service}'{nearest(service, await self.services(call))}")
        found: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        while True:
            for one in _read(answer.file_descriptor_response.file_descriptor_proto):
                found.setdefault(one.name, one)
            wanted = {name for one in found.values() for name in one.dependency} - found.keys()
            for own in _read([_OWN[name] for name in sorted(wanted & _OWN.keys())]):
                found[own.name] = own
            missing = sorted(wanted - found.keys())
            if not missing:
                return tuple(found[name].SerializeToString(deterministic=True) for name in sorted(found))
            if len(found) + len(missing) > _MOST_FILES:
                raise broken("The source describes itself in too many files.", f"over {_MOST_FILES}")
            answer = ServerReflectionResponse()
            for each in await self._ask([ServerReflectionRequest(file_by_filename=name) for name in missing], call):
                answer.MergeFrom(each)
            if not {one.name for one in _read(answer.file_descriptor_response.file_descriptor_proto)} >= {*missing}:
                raise broken("The source does not describe all that it imports.", ", ".join(missing)[:200])

    async def _ask(self, asked: Sequence[ServerReflectionRequest], call: Call) -> list[ServerReflectionResponse]:
        for method in (self._method,) if self._method else _METHODS:
            try:
                answers = [answer for one in asked for answer in await self._answers(method, one, call)]
            except Failure as error:
                if error.status != "UNIMPLEMENTED":
                    raise
                self._method = ""
                continue
            self._method = method
            if len(answers) != len(asked):
                break
            return answers
        raise SourceError("config", "The source does not describe itself: its server reflection has to be switched on.")

    async def _answers(self, method: str, asked: ServerReflectionRequest, call: Call) -> list[ServerReflectionResponse]:
        """What comes back for one request: one answer. The method would take a stream of them, of which one is a stream too."""
        body = asked.SerializeToString()
        try:
            metadata = self._channel.metadata(call)
            return [ServerReflectionResponse.FromString(one) async for one in self._channel.stream(method, body, call, metadata)]
        except DecodeError:
            raise broken("The source does not describe itself in a way that can be read.") from None


def _read(files: Sequence[bytes]) -> list[descriptor_pb2.FileDescriptorProto]:
    try:
        return [descriptor_pb2.FileDescriptorProto.FromString(one) for one in files]
    except DecodeError:
        raise broken("The source does not describe itself in a way that can be read.") from None
