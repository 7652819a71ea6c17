"""Record → its encoder. Invoices, credit notes and contacts are encoded in pieces instead (``encoding.py``)."""

from collections.abc import Callable
from typing import Any

from simulator.accounting_api.encoders.accounts import account
from simulator.accounting_api.encoders.bank_transactions import bank_transaction
from simulator.accounting_api.encoders.bank_transfers import bank_transfer
from simulator.accounting_api.encoders.batch_payments import batch_payment
from simulator.accounting_api.encoders.budgets import budget
from simulator.accounting_api.encoders.contact_groups import contact_group
from simulator.accounting_api.encoders.items import item
from simulator.accounting_api.encoders.journals import journal
from simulator.accounting_api.encoders.linked_transactions import linked_transaction
from simulator.accounting_api.encoders.manual_journals import manual_journal
from simulator.accounting_api.encoders.organisation import organisation
from simulator.accounting_api.encoders.overpayments import overpayment
from simulator.accounting_api.encoders.payments import payment
from simulator.accounting_api.encoders.prepayments import prepayment
from simulator.accounting_api.encoders.purchase_orders import purchase_order
from simulator.accounting_api.encoders.quotes import quote
from simulator.accounting_api.encoders.repeating_invoices import repeating_invoice
from simulator.accounting_api.encoders.settings import branding_theme, currency, payment_service, user
from simulator.accounting_api.encoders.tax_rates import tax_rate
from simulator.accounting_api.encoders.tracking_categories import tracking_category
from simulator.accounting_api.view import View
from simulator.books.account import Account
from simulator.books.bank_transaction import BankTransaction
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.branding_theme import BrandingTheme
from simulator.books.budget import Budget
from simulator.books.company import Company
from simulator.books.contact_group import ContactGroup
from simulator.books.currency import Currency
from simulator.books.item import Item
from simulator.books.journal import Journal
from simulator.books.kinds import AnyRecord
from simulator.books.linked_transaction import LinkedTransaction
from simulator.books.manual_journal import ManualJournal
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord
from simulator.books.payment_service import PaymentService
from simulator.books.prepayment import Prepayment
from simulator.books.purchase_order import PurchaseOrder
from simulator.books.quote import Quote
from simulator.books.repeating_invoice import RepeatingInvoice
from simulator.books.tax_rate import TaxRate
from simulator.books.tracking_category import TrackingCategory
from simulator.books.user import User

ENCODERS: dict[type[AnyRecord], Callable[[Any, View], dict[str, Any]]] = {
    Account: account,
    BankTransaction: bank_transaction,
    BankTransfer: bank_transfer,
    BatchPayment: batch_payment,
    BrandingTheme: branding_theme,
    Budget: budget,
    Company: organisation,
    ContactGroup: contact_group,
    Currency: currency,
    Item: item,
    Journal: journal,
    LinkedTransaction: linked_transaction,
    ManualJournal: manual_journal,
    Overpayment: overpayment,
    PaymentRecord: payment,
    PaymentService: payment_service,
    Prepayment: prepayment,
    PurchaseOrder: purchase_order,
    Quote: quote,
    RepeatingInvoice: repeating_invoice,
    TaxRate: tax_rate,
    TrackingCategory: tracking_category,
    User: user,
}
