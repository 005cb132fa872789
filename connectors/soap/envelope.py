"""A SOAP answer: parsed safely, its payload or its fault.

No document type, no entity, nothing fetched; libxml2 bounds how deep and how long a text may be. Must not know HTTP beyond an answer's
charset and status, nor the WSDL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.http import Answer, broken
from connectors.soap.values import Node, local, namespace, nil, value_of, walk
from connectors.spi import ErrorKind, SourceError

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,100}?\bencoding\s*=\s*[\"']([\w.:-]+)")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
# The older national sets are parts of GB 18030, and senders are known to mix them up.
_CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "gb_2312-80": "gb18030", "utf8": "utf-8", "us-ascii": "iso-8859-1"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_FAULT_CODE = re.compile(r"[\w.-]{1,60}")

# The last part of a code, its subcodes included: those of WS-Security, WS-Addressing and common servers.
_CODES: Mapping[str, ErrorKind] = {
    "versionmismatch": "config",
    "mustunderstand": "config",
    "dataencodingunknown": "config",
    "actionnotsupported": "config",
    "client": "invalid",
    "sender": "invalid",
    "server": "broken",
    "receiver": "broken",
    "failedauthentication": "denied",
    "authentication": "denied",
    "authenticationfailed": "denied",
    "invalidsecurity": "denied",
    "invalidsecuritytoken": "denied",
    "securitytokenunavailable": "denied",
    "failedcheck": "denied",
    "unauthorized": "denied",
    "accessdenied": "denied",
    "timeout": "slow",
    "busy": "busy",
    "servertoobusy": "busy",
    "toomanyrequests": "busy",
    "unavailable": "down",
    "serviceunavailable": "down",
    "endpointunavailable": "down",
}
_MESSAGES: Mapping[ErrorKind, str] = {
    "config": "The source does not know what it is asked for.",
    "invalid": "The source did not accept the request.",
    "denied": "The source refused the hub's credential.",
    "slow": "The source did not answer in time.",
    "busy": "The source is busy.",
    "down": "The source is out of service.",
    "broken": "The source failed.",
}


@dataclass(frozen=True, slots=True)
class Message:
    """``payload`` is the first element of the body; of a fault, that is the fault, and ``codes`` are its code and subcodes."""

    payload: Node | None
    codes: tuple[str, ...] = ()

    @property
    def document(self) -> Any:
        """What ``errors`` rules look at: the payload; a fault as ``{fault: {code, subcode, reason, detail}}``."""
        if self.payload is None:
            return None
        fault = Tree(self.payload)
        if not self.codes:
            return fault
        reason = fault.get("faultstring") or (walk([fault.node], ("Reason", "Text")) or [None])[0]
        return {
            "fault": {
                "code": self.codes[0],
                "subcode": self.codes[-1] if len(self.codes) > 1 else None,
                "reason": value_of(reason) if reason is not None else None,
                "detail": fault.get("detail") or fault.get("Detail"),
            }
        }

    def fault(self, status: int) -> SourceError | None:
        """The fault in the terms of ``connectors.spi``. Its texts may hold values and are told to nobody; its code is for the log."""
        if not self.codes:
            return None
        parts = [part.lower() for code in self.codes for part in code.split(".")]
        kind: ErrorKind = next((_CODES[part] for part in reversed(parts) if part in _CODES), "broken")
        if kind == "broken" and status == 503:
            kind = "down"
        shown = [code if _FAULT_CODE.fullmatch(code) else "?" for code in self.codes]
        return SourceError(kind, _MESSAGES[kind], detail=f"fault {' / '.join(shown)}, status {status}")


class Tree(Mapping[str, Any]):
    """An element read by local names, a step at a time: a text, another tree, or a list where a name comes several times."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __getitem__(self, name: str) -> Any:
        found = walk([self.node], (name,))
        if not found:
            raise KeyError(name)
        values = [self._inner(one) for one in found]
        return values[0] if len(values) == 1 else values

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(local(child) for child in self.node))

    def __len__(self) -> int:
        return len({local(child) for child in self.node})

    def __str__(self) -> str:
        return self.node.text or ""

    def __bool__(self) -> bool:
        return True

    @staticmethod
    def _inner(found: Any) -> Any:
        if isinstance(found, str):
            return found
        if nil(found):
            return None
        return Tree(found) if len(found) or found.attrib else found.text or ""


def parse(answer: Answer) -> Message:
    """The message of an answer of any status. Raises SourceError (broken) for what is no SOAP."""
    content = _utf8(answer)
    if _PROLOG.match(content):
        raise broken("The source did not answer with SOAP.", "a document type is not allowed in it")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise broken("The source did not answer with SOAP.", f"status {answer.status}, {len(content)} bytes") from None
    body = next((child for child in root if local(child) == "Body"), None)
    if local(root) != "Envelope" or namespace(root) not in (SOAP_11, SOAP_12) or body is None:
        raise broken("The source did not answer with SOAP.", f"status {answer.status}")
    payload = body[0] if len(body) else None
    if payload is None or local(payload) != "Fault" or namespace(payload) not in (SOAP_11, SOAP_12):
        return Message(payload)
    return Message(payload, tuple(_codes(payload)) or ("?",))


def _codes(fault: Node) -> Iterator[str]:
    """Local names of a fault's code and subcodes: ``Server.Busy``; ``Sender``, ``FailedAuthentication``."""
    found = walk([fault], ("faultcode",))
    level = walk([fault], ("Code",))
    while level:
        found += walk(level[:1], ("Value",))
        level = walk(level[:1], ("Subcode",))
    for one in found:
        yield (one.text or "").strip().rpartition(":")[2]


def _utf8(answer: Answer) -> bytes:
    """The bytes of an answer in UTF-8.

    The header and the document's own declaration may name different sets. One that the bytes do not fit is left out; ISO 8859-1, which any
    bytes fit and servers put there unasked, counts only where nothing else is said. If two are left and read differently, that is broken.
    """
    body = answer.body
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], [charset])
    said = _CHARSET.search(answer.headers.get("Content-Type", ""))
    declared = _DECLARED.match(body)
    names = [said[1] if said else "", declared[1].decode("ascii") if declared else ""]
    charsets = list(dict.fromkeys(_CHARSETS.get(name.lower(), name.lower()) for name in names if name))
    if len(charsets) > 1 and "iso-8859-1" in charsets:
        charsets.remove("iso-8859-1")
    return body if charsets in ([], ["utf-8"]) else _decoded(body, charsets)


def _decoded(body: bytes, charsets: Sequence[str]) -> bytes:
    texts = []
    for charset in charsets:
        try:
            texts.append(body.decode(charset))
        except (UnicodeDecodeError, LookupError):
            continue
    if not texts:
        raise broken("The source's answer is not in the charset that it names.", f"{len(body)} bytes")
    if len(set(texts)) > 1:
        raise broken("The source's answer names two charsets, and can be read in both.", f"{len(body)} bytes")
    return texts[0].encode("utf-8", "surrogatepass")
