"""What official clients are told to call their methods with: ids of records that are there, and elements to write."""

from typing import Any

import httpx

from simulator.accounting_api.facts import FACTS
from simulator.books.words import Endpoint
from simulator.identity.scopes import EVERYTHING
from tests.clients.xero import Xero

NONE_SUCH = "20000000-0000-4000-8000-000000000001"
FILE = "note.txt"
REDIRECT = "https://app.example/back"
LINE = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 20, "AccountCode": "200"}
DATE = "2026-11-20"

FILED = {
    "Account": "accountID",
    "BankTransaction": "bankTransactionID",
    "BankTransfer": "bankTransferID",
    "Contact": "contactID",
    "CreditNote": "creditNoteID",
    "Invoice": "invoiceID",
    "ManualJournal": "manualJournalID",
    "PurchaseOrder": "purchaseOrderID",
    "Quote": "quoteID",
    "RepeatingInvoice": "repeatingInvoiceID",
}
"""Kinds that have files → the parameter of their id."""


class Desk:
    """The test's own way to the simulator."""

    def __init__(self, xero: Xero) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{xero.plain}", trust_env=False, timeout=60)
        self.http.put("/_sim/limits", json={"concurrent": 100, "minute": 10**6, "day": 10**6, "appMinute": 10**6})
        self.grant = self.http.post("/_sim/grants", json={"scopes": [*EVERYTHING]}).json()
        app = {"client_id": self.grant["clientId"], "client_secret": self.grant["clientSecret"]}
        form = {"grant_type": "refresh_token", "refresh_token": self.grant["refreshToken"], **app}
        token = self.http.post("/connect/token", data=form).json()
        self.refresh_token: str = token["refresh_token"]
        self.tenant: str = self.grant["tenants"][0]
        self.headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "xero-tenant-id": self.tenant,
            "Accept": "application/json",
        }

    def rows(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Every record of an endpoint, as it is."""
        document = self.http.get(f"/_sim/truth/{self.tenant}/{endpoint}").json()
        found: list[dict[str, Any]] = document[FACTS[endpoint].list_key]
        return found

    def write(self, path: str, element: Any, method: str = "PUT") -> dict[str, Any]:
        """Write one element; its row."""
        answer = self.http.request(method, f"/api.xro/2.0/{path}", json=element, headers=self.headers)
        assert answer.status_code == 200, answer.text
        (rows,) = (one for one in answer.json().values() if isinstance(one, list))
        row: dict[str, Any] = rows[0]
        assert row.get("StatusAttributeString", "OK") == "OK", row
        return row

    def close(self) -> None:
        """Close the connection."""
        self.http.close()


def planned(desk: Desk) -> dict[str, Any]:
    """Prepare records, and say what to call with what; parameters as xero-node spells them, elements as Xero does."""
    made = _made(desk)
    named = {"ContactID": made["contactID"]}
    document = {"Contact": named, "Date": DATE, "LineItems": [LINE]}
    sale = document | {"Type": "ACCREC", "Status": "AUTHORISED", "DueDate": "2026-12-20"}
    spent = document | {"Type": "SPEND", "BankAccount": {"Code": "090"}}
    note = document | {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    journal = {
        "Narration": "Accrual",
        "JournalLines": [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}],
    }
    schedule = {
        "Period": 1,
        "Unit": "MONTHLY",
        "DueDate": 9,
        "DueDateType": "OFFOLLOWINGMONTH",
        "StartDate": "2026-12-01",
    }
    pay = {"Invoice": {"InvoiceID": made["invoiceID"]}, "Account": {"Code": "090"}, "Amount": 0.5, "Date": DATE}
    rate = {"Name": "State", "TaxComponents": [{"Name": "City", "Rate": 1}]}

    def of(kind: str, body: Any) -> dict[str, Any]:
        return {"type": kind, "body": body}

    def many(kind: str, *rows: Any) -> dict[str, Any]:
        return of(kind, {kind: [*rows]})

    allocation = {"Invoice": {"InvoiceID": made["invoiceID"]}, "Amount": 0.5, "Date": DATE}
    parameters: dict[str, Any] = {
        **made,
        "xeroTenantId": desk.tenant,
        "fileName": FILE,
        "body": {"bytes": "a note"},
        "contentType": "text/plain",
        "unitdp": 4,
        "contactId": made["contactID"],
        "organisationID": desk.tenant,
        "attachmentID": NONE_SUCH,
        "receiptID": NONE_SUCH,
        "expenseClaimID": NONE_SUCH,
        "reportID": NONE_SUCH,
        "requestEmpty": of("RequestEmpty", {}),
        "historyRecords": many("HistoryRecords", {"Details": "Looked at"}),
        "account": of("Account", {"Code": "4760", "Name": "Stationery", "Type": "EXPENSE"}),
        "accounts": many("Accounts", {"Name": "Renamed"}),
        "bankTransactions": many("BankTransactions", spent),
        "bankTransfers": many(
            "BankTransfers", {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 5}
        ),
        "batchPayments": many("BatchPayments", {"Account": {"Code": "090"}, "Date": DATE, "Payments": [pay]}),
        "contacts": many("Contacts", {"Name": "Quayside Kites"}),
        "contactGroups": many("ContactGroups", {"Name": "VIP"}),
        "creditNotes": many("CreditNotes", note),
        "allocations": many("Allocations", allocation),
        "currency": of("Currency", {"Code": "SGD"}),
        "invoices": many("Invoices", sale),
        "items": many("Items", {"Code": "KITE", "Name": "Kite"}),
        "linkedTransaction": of(
            "LinkedTransaction", {"SourceTransactionID": made["billID"], "SourceLineItemID": made["billLineID"]}
        ),
        "linkedTransactions": many(
            "LinkedTransactions",
            {
                "SourceTransactionID": made["billID"],
                "SourceLineItemID": made["billLineID"],
                "ContactID": made["contactID"],
            },
        ),
        "manualJournals": many("ManualJournals", journal),
        "payment": of("Payment", pay),
        "payments": many("Payments", pay),
        "paymentServices": many(
            "PaymentServices",
            {"PaymentServiceName": "PayUp", "PaymentServiceUrl": "https://pay.example/[INVOICENUMBER]"},
        ),
        "purchaseOrders": many("PurchaseOrders", document),
        "quotes": many("Quotes", document),
        "repeatingInvoices": many("RepeatingInvoices", document | {"Type": "ACCREC", "Schedule": schedule}),
        "taxRates": many("TaxRates", rate),
        "trackingCategory": of("TrackingCategory", {"Name": "Shelf"}),
        "trackingOption": of("TrackingOption", {"Name": "Lower"}),
        "paymentDelete": of("PaymentDelete", {"Status": "DELETED"}),
        "batchPaymentDeleteByUrlParam": of("BatchPaymentDeleteByUrlParam", {"Status": "DELETED"}),
        "bankTransferDeleteByUrlParam": of("BankTransferDeleteByUrlParam", {"Status": "DELETED"}),
        "expenseClaims": many("ExpenseClaims", {"User": {"UserID": made["userID"]}}),
        "receipts": many("Receipts", {"Date": DATE, "Contact": named, "User": {"UserID": made["userID"]}}),
        "setup": of("Setup", {"Accounts": [{"Code": "999", "Name": "x", "Type": "EXPENSE"}]}),
        **dict.fromkeys(("allowBackorders", "idempotencyKey", "includeOnline", "summarizeErrors")),
    }
    methods: dict[str, dict[str, Any]] = {
        **{f"get{kind}AttachmentById": {"attachmentID": made[f"fileOf{kind}"]} for kind in FILED},
        **_own(made, of, many, desk),
    }
    return {
        "clientId": desk.grant["clientId"],
        "clientSecret": desk.grant["clientSecret"],
        "redirectUri": REDIRECT,
        "pkceClientId": desk.http.post("/_sim/clients", json={"kind": "pkce"}).json()["clientId"],
        "refreshToken": desk.refresh_token,
        "tenant": desk.tenant,
        "scopes": ["openid", "profile", "email", *EVERYTHING],
        "parameters": parameters,
        "methods": methods,
        "answers": {"getOrganisations": desk.tenant, "getInvoice": made["invoiceID"], "getContact": made["contactID"]},
    }


def _made(desk: Desk) -> dict[str, Any]:
    """Records to read and write: parameter → id."""
    contact = desk.write(
        "Contacts", {"Name": "Tidewater Kites", "EmailAddress": "k@example.com", "ContactNumber": "K-1"}
    )
    named = {"Contact": {"ContactID": contact["ContactID"]}, "Date": DATE, "LineItems": [LINE]}
    sale = named | {"Type": "ACCREC", "Status": "AUTHORISED", "DueDate": "2026-12-20"}
    spent = named | {"Type": "SPEND", "BankAccount": {"Code": "090"}}
    invoice = desk.write("Invoices", sale | {"LineItems": [LINE | {"UnitAmount": 5_000}]})
    bill = desk.write("Invoices", sale | {"Type": "ACCPAY"})
    note = desk.write("CreditNotes", named | {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"})
    paid_before = desk.write("BankTransactions", named | {"Type": "RECEIVE-PREPAYMENT", "BankAccount": {"Code": "090"}})
    paid_much = desk.write("BankTransactions", named | {"Type": "RECEIVE-OVERPAYMENT", "BankAccount": {"Code": "090"}})
    pay = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 1, "Date": DATE}
    moved = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 5}
    (region, *_) = desk.rows(Endpoint.TRACKING_CATEGORIES)
    first = {
        endpoint: desk.rows(endpoint)[0]
        for endpoint in (Endpoint.BRANDING_THEMES, Endpoint.BUDGETS, Endpoint.JOURNALS, Endpoint.USERS)
    }
    linked = desk.write(
        "LinkedTransactions",
        {"SourceTransactionID": bill["InvoiceID"], "SourceLineItemID": bill["LineItems"][0]["LineItemID"]},
    )
    order, quote = desk.write("PurchaseOrders", named), desk.write("Quotes", named)
    schedule = {
        "Period": 1,
        "Unit": "MONTHLY",
        "DueDate": 9,
        "DueDateType": "OFFOLLOWINGMONTH",
        "StartDate": "2026-12-01",
    }
    journal = {
        "Narration": "Accrual",
        "JournalLines": [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}],
    }
    group = desk.write("ContactGroups", {"Name": "Kites"})
    made: dict[str, Any] = {
        "accountID": desk.write("Accounts", {"Code": "4761", "Name": "Paper", "Type": "EXPENSE"})["AccountID"],
        "bankTransactionID": desk.write("BankTransactions", spent)["BankTransactionID"],
        "bankTransferID": desk.write("BankTransfers", moved)["BankTransferID"],
        "batchPaymentID": desk.write("BatchPayments", {"Account": {"Code": "090"}, "Date": DATE, "Payments": [pay]})[
            "BatchPaymentID"
        ],
        "brandingThemeID": first[Endpoint.BRANDING_THEMES]["BrandingThemeID"],
        "budgetID": first[Endpoint.BUDGETS]["BudgetID"],
        "contactID": contact["ContactID"],
        "contactNumber": "K-1",
        "contactGroupID": group["ContactGroupID"],
        "creditNoteID": note["CreditNoteID"],
        "invoiceID": invoice["InvoiceID"],
        "billID": bill["InvoiceID"],
        "billLineID": bill["LineItems"][0]["LineItemID"],
        "itemID": desk.write("Items", {"Code": "STRING", "Name": "String"})["ItemID"],
        "journalID": first[Endpoint.JOURNALS]["JournalID"],
        "journalNumber": first[Endpoint.JOURNALS]["JournalNumber"],
        "linkedTransactionID": linked["LinkedTransactionID"],
        "manualJournalID": desk.write("ManualJournals", journal)["ManualJournalID"],
        "overpaymentID": paid_much["OverpaymentID"],
        "prepaymentID": paid_before["PrepaymentID"],
        "paymentID": desk.write("Payments", pay)["PaymentID"],
        "purchaseOrderID": order["PurchaseOrderID"],
        "purchaseOrderNumber": order["PurchaseOrderNumber"],
        "quoteID": quote["QuoteID"],
        "repeatingInvoiceID": desk.write("RepeatingInvoices", named | {"Type": "ACCREC", "Schedule": schedule})[
            "RepeatingInvoiceID"
        ],
        "taxType": "NONE",
        "trackingCategoryID": region["TrackingCategoryID"],
        "trackingOptionID": region["Options"][0]["TrackingOptionID"],
        "userID": first[Endpoint.USERS]["UserID"],
    }
    for kind, parameter in FILED.items():
        path = f"/api.xro/2.0/{kind}s/{made[parameter]}/Attachments/before.txt"
        answer = desk.http.put(path, content=b"before", headers=desk.headers | {"Content-Type": "text/plain"})
        made[f"fileOf{kind}"] = answer.json()["Attachments"][0]["AttachmentID"]
    return made


def _own(made: dict[str, Any], of: Any, many: Any, desk: Desk) -> dict[str, dict[str, Any]]:
    """Values that one method needs otherwise: records of its own to delete, ids beside elements, names that are not taken."""
    pay = {"Invoice": {"InvoiceID": made["invoiceID"]}, "Account": {"Code": "090"}, "Amount": 1, "Date": DATE}
    batch = {"Account": {"Code": "090"}, "Date": DATE, "Payments": [pay]}
    moved = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 5}
    allocation = {"Invoice": {"InvoiceID": made["invoiceID"]}, "Amount": 1, "Date": DATE}
    desk.http.put(
        f"/api.xro/2.0/ContactGroups/{made['contactGroupID']}/Contacts",
        json={"Contacts": [{"ContactID": made["contactID"]}]},
        headers=desk.headers,
    )
    linked = {"SourceTransactionID": made["billID"], "SourceLineItemID": made["billLineID"]}
    option = desk.write(f"TrackingCategories/{made['trackingCategoryID']}/Options", {"Name": "Attic"})
    rows = {
        name: desk.write(f"{name}s/{made[f'{name[0].lower()}{name[1:]}ID']}/Allocations", allocation)
        for name in ("CreditNote", "Overpayment", "Prepayment")
    }
    gone = desk.rows(Endpoint.TRACKING_CATEGORIES)[1]["TrackingCategoryID"]
    return {
        "createContactGroupContacts": {"contacts": many("Contacts", {"ContactID": made["contactID"]})},
        "deleteAccount": {
            "accountID": desk.write("Accounts", {"Code": "4762", "Name": "Glue", "Type": "EXPENSE"})["AccountID"]
        },
        "deleteBankTransfer": {"bankTransferID": desk.write("BankTransfers", moved)["BankTransferID"]},
        "deleteBankTransfers": {
            "bankTransfersDelete": of(
                "BankTransfersDelete",
                {
                    "BankTransfers": [
                        {"BankTransferID": desk.write("BankTransfers", moved)["BankTransferID"], "Status": "DELETED"}
                    ]
                },
            )
        },
        "deleteBatchPayment": {
            "batchPaymentDelete": of(
                "BatchPaymentDelete",
                {"BatchPaymentID": desk.write("BatchPayments", batch)["BatchPaymentID"], "Status": "DELETED"},
            )
        },
        "deleteBatchPaymentByUrlParam": {"batchPaymentID": desk.write("BatchPayments", batch)["BatchPaymentID"]},
        **{f"delete{name}Allocations": {"allocationID": row["AllocationID"]} for name, row in rows.items()},
        "deleteItem": {"itemID": desk.write("Items", {"Code": "GONE", "Name": "Gone"})["ItemID"]},
        "deleteLinkedTransaction": {
            "linkedTransactionID": desk.write("LinkedTransactions", linked)["LinkedTransactionID"]
        },
        "deletePayment": {"paymentID": desk.write("Payments", pay)["PaymentID"]},
        "deleteTrackingCategory": {"trackingCategoryID": gone},
        "deleteTrackingOptions": {"trackingOptionID": option["TrackingOptionID"]},
        "getLinkedTransactions": dict.fromkeys(("linkedTransactionID", "contactID")),
        "getQuotes": {"contactID": None},
        "getReportProfitAndLoss": dict.fromkeys(("trackingCategoryID", "trackingOptionID")),
        "updateAccount": {"accounts": many("Accounts", {"Code": "4761", "Name": "Paper and ink", "Type": "EXPENSE"})},
        "updateContact": {"contacts": many("Contacts", {"FirstName": "Ann"})},
        "updateContactGroup": {"contactGroups": many("ContactGroups", {"Name": "Kites and strings"})},
        "updateCreditNote": {"creditNotes": many("CreditNotes", {"Reference": "R-1"})},
        "updateInvoice": {"invoices": many("Invoices", {"Reference": "R-1"})},
        "updateItem": {"items": many("Items", {"Code": "STRING", "Name": "Long string"})},
        "updateManualJournal": {"manualJournals": many("ManualJournals", {"Narration": "Changed"})},
        "updateOrCreateContacts": {"contacts": many("Contacts", {"Name": "Longmeadow Kites"})},
        "updateOrCreateItems": {"items": many("Items", {"Code": "TAIL", "Name": "Tail"})},
        "updatePurchaseOrder": {"purchaseOrders": many("PurchaseOrders", {"Reference": "R-1"})},
        "updateQuote": {"quotes": many("Quotes", {"Reference": "R-1"})},
        "updateRepeatingInvoice": {"repeatingInvoices": many("RepeatingInvoices", {"Reference": "R-1"})},
        "updateTaxRate": {"taxRates": many("TaxRates", {"Name": "State", "Status": "DELETED"})},
        "updateTrackingCategory": {"trackingCategory": of("TrackingCategory", {"Name": "Regions"})},
        "updateTrackingOptions": {"trackingOption": of("TrackingOption", {"Name": "Far north"})},
    }
