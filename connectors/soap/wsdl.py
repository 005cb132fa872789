"""A WSDL read once: its operations, and the messages they are asked with. The only module that knows zeep.

``Service`` reads documents that ``documents`` brought, which takes a while and belongs into a thread; it fetches nothing. Must not know
relations or answers.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree
from zeep import ns, xsd
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import ValidationError
from zeep.settings import Settings
from zeep.wsa import WsAddressingPlugin
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap12Binding
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.wsse.username import UsernameToken
from zeep.xsd import ComplexType

from connectors.calls import text_of
from connectors.operations import Element, Operation
from connectors.settings import nearest, refused
from connectors.soap.documents import KNOWN
from connectors.spi import SourceError

_addressing: Any = WsAddressingPlugin  # zeep is typed in part only
_username_token: Any = UsernameToken


@dataclass(frozen=True, slots=True)
class Token:
    """A WS-Security UsernameToken; ``created`` is only sent, and only needed, with a digest."""

    user: str
    password: str
    digest: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """``content`` is the envelope; ``headers`` those of HTTP that belong to it."""

    content: bytes
    headers: Mapping[str, str]


class _Held:
    """What zeep asks for documents: those that were gathered, and no others."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = {**KNOWN, **documents}

    def load(self, place: str) -> bytes:
        found = self._documents.get(str(place))
        if found is None:
            raise refused("The WSDL imports a document that was not brought.", posixpath.basename(str(place)))
        return found


class Service:
    """One port of a WSDL. Raises SourceError (config) for what cannot be read."""

    def __init__(self, root: str, documents: Mapping[str, bytes], port: str = "") -> None:
        settings = Settings(forbid_dtd=True, forbid_entities=True, xml_huge_tree=False, force_https=False)
        try:
            held: Any = _Held(documents)  # all that zeep asks of a transport
            self._document = Document(root, held, settings=settings)
        except SourceError:
            raise
        except (ZeepError, etree.LxmlError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise refused("The WSDL cannot be read.", f"{type(error).__name__}") from None
        ports = {name: each for service in self._document.services.values() for name, each in service.ports.items()}
        ports = {name: each for name, each in ports.items() if isinstance(each.binding, SoapBinding)}
        if port and port not in ports:
            raise refused(f"the WSDL has no SOAP port '{port}'{nearest(port, ports)}")
        if not ports:
            raise refused("The WSDL has no port that speaks SOAP.")
        self.port = port or next(iter(ports))
        self._binding = ports[self.port].binding
        self.title = next(iter(self._document.services))
        self.address = str(ports[self.port].binding_options.get("address") or "")

    def operations(self) -> tuple[Operation, ...]:
        """All of the port, by name."""
        return tuple(self._described(name) for name in sorted(self._binding.all()))

    def repeats(self, operation: str, way: tuple[str | int, ...]) -> bool:
        """Whether the input element at ``way`` may come several times. Raises SourceError (config) where there is none."""
        inside, many = self._described(operation).input, False
        for step in way:
            found = next((each for each in inside if each.name == step), None)
            if found is None:
                raise refused(f"operation '{operation}' takes no '{step}'{nearest(str(step), [each.name for each in inside])}")
            inside, many = found.inside, found.many
        return many

    def request(self, operation: str, values: Any, header: Mapping[str, Any], token: Token | None) -> Request:
        """The envelope that asks ``operation`` for ``values``. Raises SourceError: ``config`` where they do not fit the WSDL."""
        known = self._operation(operation)
        positional, named = ((), values) if isinstance(values, Mapping) else ((), {}) if values is None else ((values,), {})
        try:
            made = known.create(*positional, **named, _soapheaders=[self._header(name, value) for name, value in header.items()])
            self._binding._set_http_headers(made, known)
            envelope, headers = made.content, dict(made.headers)
            if known.abstract.wsa_action:
                envelope, headers = _addressing().egress(envelope, headers, known, {"address": self.address})
            if token is not None:
                given = {"use_digest": token.digest, "created": token.created, "zulu_timestamp": True}
                envelope, headers = _username_token(token.user, token.password, **given).apply(envelope, headers)
        except TypeError as error:  # its text names elements of the WSDL
            what = str(error).partition(" Signature:")[0][:200]
            raise refused(f"operation '{operation}': the input does not fit the WSDL", what) from None
        except ValidationError as error:
            where = ".".join(str(step) for step in error.path or ())
            raise refused(f"operation '{operation}': the input does not fit the WSDL", f"{error.message[:200]} at {where}") from None
        except (ZeepError, ValueError, AttributeError, LookupError) as error:
            raise SourceError("invalid", "This value cannot be sent to the source.", detail=type(error).__name__) from None
        if isinstance(self._binding, Soap12Binding):
            headers.pop("SOAPAction", None)
            if not known.soapaction:
                headers["Content-Type"] = "application/soap+xml; charset=utf-8"
        return Request(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"), headers)

    def _operation(self, name: str) -> Any:
        operations = self._binding.all()
        if name not in operations:
            raise refused(f"the WSDL has no operation '{name}'{nearest(name, operations)}")
        return operations[name]

    def _header(self, name: str, value: Any) -> Any:
        known = {each.name: each for each in self._document.types.elements if each.qname.namespace != ns.XSD}
        found = [each for each in self._document.types.elements if each.name == name]
        if len(found) != 1:
            what = "no element" if not found else "several elements"
            raise refused(f"the WSDL has {what} '{name}' for a SOAP header{nearest(name, known)}")
        if isinstance(value, Mapping):
            return found[0](**value)
        node = etree.Element(found[0].qname)
        node.text = text_of(value)
        return node

    def _described(self, name: str) -> Operation:
        operation = self._operation(name)
        given, brought = (getattr(each, "body", None) for each in (operation.input, operation.output))
        bodies = [tuple(_elements(each.type, ())) if each is not None else () for each in (given, brought)]
        return Operation(name, bodies[0], bodies[1], str(brought.name or "") if brought is not None else "")


def _elements(kind: Any, within: tuple[int, ...]) -> Iterator[Element]:
    """What a complex type holds; one that holds itself is not entered again."""
    if not isinstance(kind, ComplexType) or id(kind) in within:
        return
    for name, attribute in kind.attributes:
        if name and not name.startswith("_"):
            yield Element(
                "@" + name,
                _built_in(attribute.type),
                _own(attribute.type),
                nullable=not attribute.required,
                always=bool(attribute.required),
            )
    sure = frozenset(_sure(kind.elements_nested))
    for _, element in kind.elements:
        if not isinstance(element, xsd.Element) or not element.name or element.name.startswith("_value"):
            continue  # xs:any, or the text of an element with attributes
        inner = element.type
        text = _text_type(inner)
        inside = tuple(_elements(inner, (*within, id(kind))))
        yield Element(
            element.name,
            _built_in(text) if text is not None else "",
            _own(inner),
            many=element.accepts_multiple,
            nullable=bool(element.is_optional or element.nillable),
            inside=inside,
            most=0 if element.max_occurs == "unbounded" else int(element.max_occurs),
            always=id(element) in sure,
        )


def _sure(nested: Iterable[tuple[Any, Any]]) -> Iterator[int]:
    """The ids of those elements that are in whatever is of a type: what may be left out, or is one of several to choose from, is not."""
    for _, one in nested:
        if isinstance(one, xsd.Choice) or getattr(one, "min_occurs", 0) == 0:
            continue
        if isinstance(one, xsd.Element):
            yield id(one)
        else:
            yield from _sure([("", one.child)] if isinstance(one, xsd.Group) else one.elements_nested)


def _text_type(kind: Any) -> Any:
    """The type of an element's text; None where it holds elements."""
    if not isinstance(kind, ComplexType):
        return kind
    return next((element.type for name, element in kind.elements if name.startswith("_value") and isinstance(element, xsd.Element)), None)


def _built_in(kind: Any) -> str:
    """The local name of the built-in type that a simple type is made of."""
    for each in type(kind).__mro__:
        own = getattr(each, "_default_qname", None)
        if own is not None and own.namespace == ns.XSD:
            return str(own.localname)
    return "string"


def _own(kind: Any) -> str:
    return str(getattr(kind, "name", "") or "")
