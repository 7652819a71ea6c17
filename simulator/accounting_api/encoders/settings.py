"""Small records of the organisation's settings, each a handful of fields."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import ms_date
from simulator.books.branding_theme import BrandingTheme
from simulator.books.currency import Currency
from simulator.books.payment_service import PaymentService
from simulator.books.user import User


def currency(record: Currency, view: View) -> dict[str, Any]:
    """A currency."""
    del view
    return {"Code": record.id, "Description": record.description}


def user(record: User, view: View) -> dict[str, Any]:
    """A user."""
    del view
    return {
        "UserID": record.id,
        "EmailAddress": record.email,
        "FirstName": record.first_name,
        "LastName": record.last_name,
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "IsSubscriber": record.is_subscriber,
        "OrganisationRole": record.role,
    }


def branding_theme(record: BrandingTheme, view: View) -> dict[str, Any]:
    """A branding theme."""
    del view
    return {
        "BrandingThemeID": record.id,
        "Name": record.name,
        "Type": "INVOICE",
        "SortOrder": record.sort_order,
        "CreatedDateUTC": ms_date(record.updated_ms),
    }


def payment_service(record: PaymentService, view: View) -> dict[str, Any]:
    """A payment service."""
    del view
    return {
        "PaymentServiceID": record.id,
        "PaymentServiceName": record.name,
        "PaymentServiceUrl": record.url,
        "PaymentServiceType": "Custom",
        "PayNowText": record.pay_now_text,
    }
