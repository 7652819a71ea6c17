"""Which class of record stands at which endpoint: the one table of all kinds."""

from types import MappingProxyType
from typing import Any

from simulator.books.account import Account
from simulator.books.bank_transaction import BankTransaction
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.branding_theme import BrandingTheme
from simulator.books.budget import Budget
from simulator.books.company import Company
from simulator.books.contact import Contact
from simulator.books.contact_group import ContactGroup
from simulator.books.credit_note import CreditNote
from simulator.books.currency import Currency
from simulator.books.invoice import Invoice
from simulator.books.item import Item
from simulator.books.journal import Journal
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
from simulator.books.words import Endpoint

Document = Invoice | CreditNote

AnyRecord = (
    Invoice
    | Contact
    | CreditNote
    | Account
    | BankTransaction
    | BankTransfer
    | BatchPayment
    | BrandingTheme
    | Budget
    | Company
    | ContactGroup
    | Currency
    | Item
    | Journal
    | LinkedTransaction
    | ManualJournal
    | Overpayment
    | PaymentRecord
    | PaymentService
    | Prepayment
    | PurchaseOrder
    | Quote
    | RepeatingInvoice
    | TaxRate
    | TrackingCategory
    | User
)

KINDS: MappingProxyType[Endpoint, type[AnyRecord]] = MappingProxyType(
    {
        Endpoint.INVOICES: Invoice,
        Endpoint.CONTACTS: Contact,
        Endpoint.CREDIT_NOTES: CreditNote,
        Endpoint.ACCOUNTS: Account,
        Endpoint.BANK_TRANSACTIONS: BankTransaction,
        Endpoint.BANK_TRANSFERS: BankTransfer,
        Endpoint.BATCH_PAYMENTS: BatchPayment,
        Endpoint.BRANDING_THEMES: BrandingTheme,
        Endpoint.BUDGETS: Budget,
        Endpoint.CONTACT_GROUPS: ContactGroup,
        Endpoint.CURRENCIES: Currency,
        Endpoint.ITEMS: Item,
        Endpoint.JOURNALS: Journal,
        Endpoint.LINKED_TRANSACTIONS: LinkedTransaction,
        Endpoint.MANUAL_JOURNALS: ManualJournal,
        Endpoint.ORGANISATION: Company,
        Endpoint.OVERPAYMENTS: Overpayment,
        Endpoint.PAYMENT_SERVICES: PaymentService,
        Endpoint.PAYMENTS: PaymentRecord,
        Endpoint.PREPAYMENTS: Prepayment,
        Endpoint.PURCHASE_ORDERS: PurchaseOrder,
        Endpoint.QUOTES: Quote,
        Endpoint.REPEATING_INVOICES: RepeatingInvoice,
        Endpoint.TAX_RATES: TaxRate,
        Endpoint.TRACKING_CATEGORIES: TrackingCategory,
        Endpoint.USERS: User,
    }
)

ENDPOINTS: MappingProxyType[type[Any], Endpoint] = MappingProxyType({kind: at for at, kind in KINDS.items()})
