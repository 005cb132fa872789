"""The kinds that the faults are tried on: the columns of docs/faults.md, in order."""

from __future__ import annotations

from tests.faults.asking import Kind
from tests.faults.files import FILES
from tests.faults.graphql import GRAPHQL
from tests.faults.grpc import GRPC
from tests.faults.rest import REST
from tests.faults.soap import SOAP_KIND
from tests.faults.sql import SQLITE
from tests.faults.sql_servers import MARIADB, POSTGRES
from tests.faults.stream import AMQP, MQTT, STREAM

KINDS: tuple[Kind, ...] = (REST, SQLITE, POSTGRES, MARIADB, SOAP_KIND, GRAPHQL, GRPC, FILES, STREAM, MQTT, AMQP)
