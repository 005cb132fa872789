"""The real manifests, composed, with rows from memory."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from schema.identifiers import complete_uscc
from tests.oracle.small import ask, errors
from tests.worlds import World, composed

SYSTEMS = Path(__file__).resolve().parents[2] / "systems"


def province() -> World:
    """The real manifests over three enterprises; the code of the third fails its check."""
    firms = [complete_uscc(f"91330100MA2{n}AAAA0") for n in range(2)] + ["91330100MA2XAAAA00"]
    names = zip(firms, ("甲公司", "乙公司", "丙公司"), strict=True)
    licences = [
        {"zzbs": f"L{n}", "zzmc": "营业执照", "czr": firms[n % 2], "bfjg": {"dm": firms[0], "mc": "局"}, "bfrq": "20240229", "zt": "1"}
        for n in range(3)
    ]
    return composed(
        SYSTEMS,
        {
            "legalEntityRegister": {
                "T_FRXX": [{"TYSHXYDM": code, "QYMC": name, "DJZT": "存续", "ZCZB": Decimal("10.00")} for code, name in names]
            },
            "credit531x": {"byUscc": [{"tyshxydm": firms[0], "pf": 91, "dj": "优", "pjsj": "20240229123000"}]},
            "eLicenceLibrary": {"Enterprise.licences": licences, "byId": licences},
        },
    )


async def test_the_real_manifests_are_answered_through_the_strawberry_schema() -> None:
    there = province()
    document = """
      query ($code: USCC!) {
        enterprise(uscc: $code) {
          name status registeredCapital
          creditScore { score evaluatedAt }
          licences(first: 1) { nodes { issuedOn status holder { name } issuerName } totalCount }
        }
        enterprises(filter: {status: {eq: ACTIVE}, name: {in: ["丙公司"]}}) { nodes { uscc name } totalCount }
      }
    """
    code = complete_uscc("91330100MA20AAAA0")
    result = await ask(there, document, {"code": code})
    assert result.errors is None
    assert result.data == {
        "enterprise": {
            "name": "甲公司",
            "status": "ACTIVE",
            "registeredCapital": "10.00",
            "creditScore": {"score": 91, "evaluatedAt": "2024-02-29T12:30:00+08:00"},
            "licences": {
                "nodes": [{"issuedOn": "2024-02-29", "status": "VALID", "holder": {"name": "甲公司"}, "issuerName": "局"}],
                "totalCount": 2,
            },
        },
        "enterprises": {"nodes": [{"uscc": "91330100MA2XAAAA00", "name": "丙公司"}], "totalCount": 1},
    }
    assert result.extensions is not None
    assert [(notice["coordinate"], notice["count"]) for notice in result.extensions["notices"]] == [("Enterprise.uscc", 1)]


async def test_a_wrong_identifier_from_a_caller_is_refused() -> None:
    result = await ask(province(), "query ($code: USCC!) { enterprise(uscc: $code) { name } }", {"code": "91330100MA20AAAA00"})
    assert (result.data, [code for _, code in errors(result)]) == (None, ["BAD_IDENTIFIER"])
