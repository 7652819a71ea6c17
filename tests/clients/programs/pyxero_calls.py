"""pyxero: consent, token, refresh, then its managers' methods with every form of filter; a line of JSON for each call."""

import base64
import hashlib
import io
import json
import os
import sys
from datetime import date, datetime
from urllib.parse import parse_qsl, urlsplit

import requests
from xero import Xero
from xero.auth import OAuth2Credentials, OAuth2PKCECredentials
from xero.exceptions import XeroException

plan = json.load(open(sys.argv[1], encoding="utf-8"))
made = plan["parameters"]
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"  # openid's answer names scopes in another order


def tell(call, outcome, detail=""):
    print(json.dumps({"call": call, "outcome": outcome, "detail": str(detail)[:2000]}), flush=True)


def attempt(call, action, check=None):
    try:
        found = action()
    except XeroException as error:
        response = getattr(error, "response", None)
        code = getattr(response, "status_code", "")
        tell(call, "failed", f"{type(error).__name__} {code} {getattr(response, 'text', error)}")
    except Exception as error:
        tell(call, "failed", f"{type(error).__name__}: {error}")
    else:
        if check is not None and not check(found):
            tell(call, "wrong", f"{found!r}")
        else:
            tell(call, "worked")
        return found
    return None


def consent(link):
    """What the user does in the browser."""
    where = urlsplit(link)
    form = {**dict(parse_qsl(where.query)), "tenant": plan["tenant"], "decision": "allow"}
    answer = requests.post(f"{where.scheme}://{where.netloc}{where.path}", data=form, allow_redirects=False, timeout=20)
    return answer.headers["Location"]


def sign_in():
    credentials = OAuth2Credentials(
        plan["clientId"], plan["clientSecret"], callback_uri=plan["redirectUri"], scope=plan["scopes"]
    )
    link = attempt("OAuth2Credentials.generate_url", credentials.generate_url)
    back = attempt("(the page)", lambda: consent(link))
    attempt("OAuth2Credentials.verify", lambda: credentials.verify(back))
    attempt("OAuth2Credentials.refresh", credentials.refresh)
    attempt(
        "OAuth2Credentials.get_tenants", credentials.get_tenants, lambda rows: rows[0]["tenantId"] == plan["tenant"]
    )
    attempt("OAuth2Credentials.set_default_tenant", credentials.set_default_tenant)
    return credentials


def reads(xero):
    lists = {
        "accounts": "AccountID", "banktransactions": "BankTransactionID", "banktransfers": "BankTransferID",
        "batchpayments": "BatchPaymentID", "brandingthemes": "BrandingThemeID", "contactgroups": "ContactGroupID",
        "contacts": "ContactID", "creditnotes": "CreditNoteID", "currencies": "Code", "invoices": "InvoiceID",
        "items": "ItemID", "journals": "JournalID", "manualjournals": "ManualJournalID", "organisations": "OrganisationID",
        "overpayments": "OverpaymentID", "paymentservices": "PaymentServiceID", "payments": "PaymentID",
        "prepayments": "PrepaymentID", "purchaseorders": "PurchaseOrderID", "quotes": "QuoteID",
        "repeatinginvoices": "RepeatingInvoiceID", "taxrates": "TaxType", "trackingcategories": "TrackingCategoryID",
        "users": "UserID", "expenseclaims": "ExpenseClaimID", "receipts": "ReceiptID", "employees": "EmployeeID",
    }  # fmt: skip
    for name, id_field in lists.items():
        rows = attempt(f"{name}.all", getattr(xero, name).all, len)
        if rows and name != "organisations":
            wanted = rows[0][id_field]
            attempt(
                f"{name}.get",
                lambda n=name, i=wanted: getattr(xero, n).get(i),
                lambda r, f=id_field, i=wanted: r[0][f] == i,
            )
    for report in ("TrialBalance", "BalanceSheet", "ProfitAndLoss", "BankSummary", "ExecutiveSummary", "BudgetSummary"):
        attempt(f"reports.get {report}", lambda r=report: xero.reports.get(r), len)
    attempt("reports.all", xero.reports.all)
    attempt("organisations.actions", xero.organisations.actions, len)


def filters(xero):
    invoice, contact = made["invoiceID"], made["contactID"]
    everything = len(xero.invoices.all())
    some = lambda rows: 0 < len(rows) < everything
    one = lambda rows: [row["InvoiceID"] for row in rows] == [invoice]
    forms = {
        "Type": ({"Type": "ACCREC"}, some),
        "Status__ne": ({"Status__ne": "PAID"}, some),
        "IDs": ({"IDs": [invoice]}, one),
        "ContactIDs": ({"ContactIDs": [contact]}, some),
        "InvoiceNumbers": ({"InvoiceNumbers": [xero.invoices.get(invoice)[0]["InvoiceNumber"]]}, one),
        "Statuses": ({"Statuses": ["PAID", "VOIDED"]}, some),
        "Contact_ContactID": ({"Contact_ContactID": contact}, some),
        "Contact_Name": ({"Contact_Name": "Tidewater Kites"}, some),
        "Contact_Name__contains": ({"Contact_Name__contains": "Tidewater"}, some),
        "Contact_Name__startswith": ({"Contact_Name__startswith": "Tidewater"}, some),
        "InvoiceNumber__endswith": ({"InvoiceNumber__endswith": "1"}, some),
        "Contact_Name__tolower": ({"Contact_Name__tolower": "tidewater kites"}, some),
        "Date__gt": ({"Date__gt": date(2026, 6, 1)}, some),
        "DueDate": ({"DueDate": date(2026, 12, 20)}, some),
        "Reference__isnull": ({"Reference__isnull": True}, lambda rows: rows == []),
        "AmountDue__gt": ({"AmountDue__gt": 0}, some),
        "UpdatedDateUTC__gt": ({"UpdatedDateUTC__gt": datetime(2026, 6, 1)}, some),
        "raw": ({"raw": 'Status=="PAID" OR Status=="VOIDED"'}, some),
        "order": ({"order": "Date DESC"}, lambda rows: len(rows) == everything),
        "page": ({"page": 1, "pageSize": 7}, lambda rows: len(rows) == 7),
        "summaryOnly": ({"summaryOnly": True}, lambda rows: rows and "LineItems" not in rows[0]),
        "createdByMyApp": ({"createdByMyApp": True}, some),
        "since a moment": ({"since": datetime(2026, 9, 1)}, some),
        "since a day": ({"since": date(2026, 9, 1)}, lambda rows: len(rows) == everything),
    }
    for name, (form, check) in forms.items():
        attempt(f"invoices.filter {name}", lambda f=form: xero.invoices.filter(**dict(f)), check)
    attempt("contacts.filter IsCustomer", lambda: xero.contacts.filter(IsCustomer=True), len)
    attempt("contacts.filter includeArchived", lambda: xero.contacts.filter(includeArchived=True), len)
    attempt("contacts.filter searchTerm", lambda: xero.contacts.filter(searchTerm="kites"), lambda rows: len(rows) == 1)
    attempt(
        "purchaseorders.filter DateFrom",
        lambda: xero.purchaseorders.filter(DateFrom=date(2026, 3, 1), DateTo=date(2026, 6, 9)),
        len,
    )
    attempt(
        "quotes.filter DateFrom", lambda: xero.quotes.filter(DateFrom=date(2026, 3, 1), DateTo=date(2026, 6, 9)), len
    )
    attempt("journals.filter offset", lambda: xero.journals.filter(offset=10), len)
    attempt("journals.filter paymentsOnly", lambda: xero.journals.filter(paymentsOnly=True), len)


def writes(xero):
    contact, number = {"ContactID": made["contactID"]}, "PX-1"
    line = {"Description": "Work & travel", "Quantity": 2, "UnitAmount": 20, "AccountCode": "200"}
    sale = {
        "Type": "ACCREC", "Contact": contact, "InvoiceNumber": number, "Date": date(2026, 11, 2), "DueDate": date(2026, 11, 30),
        "LineAmountTypes": "Exclusive", "LineItems": [line], "Status": "AUTHORISED", "SentToContact": True,
    }  # fmt: skip
    whole = lambda rows: (
        rows[0]["LineItems"][0]["Description"] == line["Description"] and float(rows[0]["SubTotal"]) == 40
    )
    rows = attempt("invoices.put", lambda: xero.invoices.put(dict(sale)), whole)
    attempt(
        "invoices.put of two",
        lambda: xero.invoices.put([{**sale, "InvoiceNumber": "PX-2"}, {**sale, "InvoiceNumber": "PX-3"}]),
        lambda rows: len(rows) == 2,
    )
    attempt("invoices.put refused", lambda: xero.invoices.put({**sale, "InvoiceNumber": number}))
    if rows:
        saved = {"InvoiceID": rows[0]["InvoiceID"], "Reference": "changed"}
        attempt("invoices.save", lambda: xero.invoices.save(saved), lambda found: found[0]["Reference"] == "changed")
        attempt(
            "invoices.save what was read", lambda: xero.invoices.save(xero.invoices.get(rows[0]["InvoiceID"])[0]), len
        )
        attempt("invoices.email", lambda: xero.invoices.email(rows[0]["InvoiceID"]))
        attempt(
            "invoices.online_invoice",
            lambda: xero.invoices.online_invoice(rows[0]["InvoiceID"]),
            lambda found: "xero.com" in str(found),
        )
        attempt(
            "payments.put",
            lambda: xero.payments.put(
                {
                    "Invoice": {"InvoiceID": rows[0]["InvoiceID"]},
                    "Account": {"Code": "090"},
                    "Date": date(2026, 11, 20),
                    "Amount": 5,
                }
            ),
            len,
        )
    address = {"AddressType": "STREET", "AddressLine1": "1 High Street", "AddressLine2": "Flat 2"}
    person = {
        "Name": "Yarrow Kites",
        "Addresses": [address],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1 2"}],
    }
    attempt(
        "contacts.put",
        lambda: xero.contacts.put(person),
        lambda rows: any(one.get("AddressLine2") == "Flat 2" for one in rows[0]["Addresses"]),
    )
    attempt("contacts.save what was read", lambda: xero.contacts.save(xero.contacts.get(made["contactID"])[0]), len)
    document = {"Contact": contact, "Date": date(2026, 11, 2), "LineItems": [line]}
    attempt(
        "creditnotes.put",
        lambda: xero.creditnotes.put({**document, "Type": "ACCRECCREDIT", "Status": "AUTHORISED"}),
        len,
    )
    attempt(
        "banktransactions.put",
        lambda: xero.banktransactions.put({**document, "Type": "SPEND", "BankAccount": {"Code": "090"}}),
        len,
    )
    attempt("purchaseorders.put", lambda: xero.purchaseorders.put(document), len)
    attempt("quotes.put", lambda: xero.quotes.put(document), len)
    attempt(
        "items.put",
        lambda: xero.items.put(
            {"Code": "KITE", "Name": "Kite", "SalesDetails": {"UnitPrice": 3, "AccountCode": "200"}}
        ),
        len,
    )
    attempt("accounts.put", lambda: xero.accounts.put({"Code": "4777", "Name": "Tape", "Type": "EXPENSE"}), len)
    attempt(
        "manualjournals.put",
        lambda: xero.manualjournals.put(
            {
                "Narration": "x",
                "JournalLines": [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}],
            }
        ),
        len,
    )
    attempt(
        "creditnotes.put_allocation",
        lambda: xero.creditnotes.put_allocation(
            made["creditNoteID"], {"Invoice": {"InvoiceID": made["invoiceID"]}, "Amount": 1}
        ),
        len,
    )
    attempt("items.delete", lambda: xero.items.delete(plan["methods"]["deleteItem"]["itemID"]))
    attempt("invoices.put_history", lambda: xero.invoices.put_history(made["invoiceID"], "Looked at"), len)
    attempt("invoices.get_history", lambda: xero.invoices.get_history(made["invoiceID"]), len)
    attempt(
        "invoices.put_attachment",
        lambda: xero.invoices.put_attachment(made["invoiceID"], "px.txt", io.BytesIO(b"a note"), "text/plain"),
        len,
    )
    attempt("invoices.get_attachments", lambda: xero.invoices.get_attachments(made["invoiceID"]), len)
    attempt(
        "invoices.get_attachment_data",
        lambda: xero.invoices.get_attachment_data(made["invoiceID"], "px.txt"),
        lambda found: found == b"a note",
    )


def pkce():
    """Its own ``logon`` listens on every interface, so its steps are taken one by one."""
    credentials = OAuth2PKCECredentials(plan["pkceClientId"], "", scope=plan["scopes"][:5])
    challenge = base64.urlsafe_b64encode(hashlib.sha256(credentials.verifier).digest())[:-1].decode()
    link = attempt("OAuth2PKCECredentials.generate_url", credentials.generate_url)
    back = attempt("(the page, PKCE)", lambda: consent(f"{link}&code_challenge={challenge}&code_challenge_method=S256"))
    code = dict(parse_qsl(urlsplit(back or "").query)).get("code")
    attempt("OAuth2PKCECredentials.get_token", lambda: credentials.get_token(code))
    attempt("OAuth2PKCECredentials.get_tenants", credentials.get_tenants, len)


def main():
    xero = Xero(sign_in())
    reads(xero)
    filters(xero)
    writes(xero)
    pkce()
    tell("", "done")


main()
