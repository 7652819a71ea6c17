"""Bodies in XML, which older clients send: the same elements as in JSON, their values as texts. Pure.

``<Invoices><Invoice><LineItems><LineItem>…`` is ``{"Invoices": [{"LineItems": [{…}]}]}``. Which names hold lists is known, because
XML does not tell a list of one from an object. Answers are JSON, or the envelope alone.
"""

from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

_LISTS = frozenset(
    {
        "Addresses",
        "ContactGroups",
        "ContactPersons",
        "FromTracking",
        "JournalLines",
        "LineItems",
        "Options",
        "Payments",
        "Phones",
        "PurchasesTrackingCategories",
        "SalesTrackingCategories",
        "TaxComponents",
        "ToTracking",
        "Tracking",
    }
)
"""Source: published OpenAPI, arrays of objects that can be written."""


class XmlError(Exception):
    """It is no XML, or has a document type, which nothing that clients of Xero send needs."""


class _Plain(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        """Refuse what could define entities."""
        del name, pubid, system
        raise XmlError("a document type")


def read_xml(body: bytes, list_key: str) -> list[Any]:
    """The elements of a body: those inside the list, or the one at the root.

    Args:
        list_key: what the list is called.

    Raises:
        XmlError: it can't be read.
    """
    parser = XMLParser(target=_Plain())  # noqa: S314 - without a document type there are no entities to expand
    try:
        parser.feed(body)
        root: Element = parser.close()
        return [_value(child) for child in root] if root.tag == list_key else [_value(root)]
    except (ParseError, RecursionError, ValueError, LookupError) as error:
        raise XmlError(f"{error}") from error


def _value(element: Element) -> Any:
    if element.tag in _LISTS:
        return [_value(child) for child in element]
    if len(element):
        return {child.tag: _value(child) for child in element}
    return element.text or ""
