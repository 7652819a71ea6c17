"""What contacts and the organisation have in common: telephones, addresses, payment terms. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, filled, part, parts, text, whole, word


def phones(raw: Raw) -> list[dict[str, Any]]:
    """The telephone numbers, by type; empty ones are left out."""
    return _by_type([phone for phone in parts(raw, "Phones", _phone) if phone is not None])


def addresses(raw: Raw) -> list[dict[str, Any]]:
    """The addresses, by type; empty ones are left out."""
    return _by_type([address for address in parts(raw, "Addresses", _address) if address is not None])


def payment_terms(raw: Raw) -> dict[str, Any] | None:
    """When bills and sales fall due."""
    return part(raw, "PaymentTerms", _payment_terms)


def _by_type(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: item["type"] or "")


def _phone(raw: Raw) -> dict[str, Any] | None:
    rest = {
        "number": text(raw, "PhoneNumber"),
        "area_code": text(raw, "PhoneAreaCode"),
        "country_code": text(raw, "PhoneCountryCode"),
    }
    return {"type": word(raw, "PhoneType", {}), **rest} if filled(rest) else None


def _address(raw: Raw) -> dict[str, Any] | None:
    rest = {
        "attention_to": text(raw, "AttentionTo"),
        "line_1": text(raw, "AddressLine1"),
        "line_2": text(raw, "AddressLine2"),
        "line_3": text(raw, "AddressLine3"),
        "line_4": text(raw, "AddressLine4"),
        "city": text(raw, "City"),
        "region": text(raw, "Region"),
        "postal_code": text(raw, "PostalCode"),
        "country": text(raw, "Country"),
    }
    return {"type": word(raw, "AddressType", {}), **rest} if filled(rest) else None


def _payment_terms(raw: Raw) -> dict[str, Any] | None:
    return filled({"bills": part(raw, "Bills", _payment_term), "sales": part(raw, "Sales", _payment_term)})


def _payment_term(raw: Raw) -> dict[str, Any] | None:
    return filled({"day": whole(raw, "Day"), "type": word(raw, "Type", {})})
