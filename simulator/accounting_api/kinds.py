"""Of which type a field is that ``where`` names, in .NET's words, so that a comparison across types is refused as Xero refuses it. Pure.

The type follows from a field's name: names are the same for every record. Source: published OpenAPI; the words are those of refusals
that were reported (freakboy3742/pyxero#46 and #217, XeroAPI/Xero-NetStandard#597).
"""

from enum import StrEnum


class Kind(StrEnum):
    """A type, as refusals name it."""

    DATE = "DateTime?"
    FLAG = "Boolean?"
    ID = "Guid"
    NUMBER = "Decimal?"
    OBJECT = "Object"
    TEXT = "String"


_NUMBERS = frozenset(
    [
        "amount",
        "amountcredited",
        "amountdue",
        "amountpaid",
        "appliedamount",
        "bankamount",
        "cisdeduction",
        "cisrate",
        "currencyrate",
        "discount",
        "displaytaxrate",
        "effectiverate",
        "outstanding",
        "overdue",
        "period",
        "quantityonhand",
        "remainingcredit",
        "subtotal",
        "total",
        "totalamount",
        "totalcostpool",
        "totaldiscount",
        "totaltax",
        "unitprice",
    ]
)
_FLAGS = frozenset(
    [
        "addtowatchlist",
        "approvedforsending",
        "enablepaymentstoaccount",
        "includepdf",
        "markassent",
        "sendcopy",
        "senttocontact",
        "showinexpenseclaims",
        "showoncashbasisreports",
    ]
)
_FLAG_BEGINS = ("is", "has", "fromis", "tois", "canapplyto")
_OBJECTS = frozenset(
    [
        "account",
        "accountspayable",
        "accountsreceivable",
        "balances",
        "bankaccount",
        "batchpayment",
        "batchpayments",
        "brandingtheme",
        "contact",
        "creditnote",
        "frombankaccount",
        "invoice",
        "overpayment",
        "paymentterms",
        "prepayment",
        "purchasedetails",
        "salesdetails",
        "schedule",
        "tobankaccount",
    ]
)
_DAY_OF_MONTH = "schedule.duedate"


def kind_of(field: str) -> Kind:
    """The type of a field.

    Args:
        field: its name in lower case, with those of the objects it is in.
    """
    name = field.rpartition(".")[2]
    if name in _NUMBERS or field == _DAY_OF_MONTH:
        return Kind.NUMBER
    if name in _OBJECTS:
        return Kind.OBJECT
    if name in _FLAGS or name.startswith(_FLAG_BEGINS):
        return Kind.FLAG
    if name.endswith(("date", "dateutc")):
        return Kind.DATE
    return Kind.ID if name.endswith("id") else Kind.TEXT
