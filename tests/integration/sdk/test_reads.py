"""Xero's official SDK reads the simulator: every list, every record, every parameter it has; values are the truth's."""

import inspect
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.accounting_api.facts import FACTS, Paging
from simulator.books.words import Endpoint
from tests.integration.sdk.compare import NOT_IN_SDK, Compare
from tests.integration.sdk.rig import FOUR_DECIMALS, SINGLE, Sdk, id_of, list_method, model_id, models, records_of

EVERYTHING = {"include_archived": True, "include_deleted": True, "unitdp": 4}
OTHERWISE_IN_LISTS = {
    Endpoint.BUDGETS: {"BudgetLines"},
    Endpoint.CONTACT_GROUPS: {"Contacts"},
    Endpoint.INVOICES: {"Attachments"},
    Endpoint.JOURNALS: {"SourceID", "SourceType", "TaxType"},
}
"""Fields that only lists or only single reads have (published OpenAPI, examples)."""

IN_FULL = {Endpoint.PURCHASE_ORDERS, Endpoint.QUOTES, Endpoint.REPEATING_INVOICES}
"""Their prices have four decimals without being asked for."""

Row = dict[str, Any]
Wish = tuple[Any, Callable[[Row], bool]]
"""A parameter's value, and which records it lets pass."""


def parameters(endpoint: Endpoint) -> set[str]:
    """What the SDK's list method takes."""
    method = getattr(models.AccountingApi, list_method(endpoint))
    return {name for name in inspect.signature(method).parameters if name[0] != "_"} - {"self", "xero_tenant_id"}


def taken(endpoint: Endpoint, wanted: dict[str, Any]) -> dict[str, Any]:
    """Those of the parameters that the SDK's list method takes."""
    return {name: value for name, value in wanted.items() if name in parameters(endpoint)}


def everything(sdk: Sdk, endpoint: Endpoint) -> list[Any]:
    """All records of a list, in as many calls as it takes."""
    asked = taken(endpoint, EVERYTHING)
    if FACTS[endpoint].paging is Paging.OFFSET:
        found = sdk.list(endpoint, **asked, offset=0)
        while more := sdk.list(endpoint, **asked, offset=found[-1].journal_number):
            found += more
        return found
    if "page" not in parameters(endpoint):
        return sdk.list(endpoint, **asked)
    asked |= taken(endpoint, {"page_size": 7})
    pages = (sdk.list(endpoint, **asked, page=page) for page in itertools.count(1))
    if "page_size" not in asked:
        return next(pages)  # a hundred, and there are fewer
    return [model for page in itertools.takewhile(bool, pages) for model in page]


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_every_list_is_the_truth(sdk: Sdk, endpoint: Endpoint) -> None:
    """Page by page, nothing twice, nothing missing, every field."""
    truth = {id_of(row, endpoint): row for row in sdk.truth(endpoint)}

    listed = everything(sdk, endpoint)

    assert sorted(model_id(model, endpoint) for model in listed) == sorted(truth)
    compare = Compare(summaries=True)
    apart = {
        place
        for model in listed
        for place in compare.differences(model, truth[model_id(model, endpoint)])
        if place.partition(":")[0].rpartition(".")[2] not in OTHERWISE_IN_LISTS.get(endpoint, ())
    }
    assert apart == set()


@pytest.mark.parametrize("endpoint", list(SINGLE))
def test_every_record_is_the_truth(sdk: Sdk, endpoint: Endpoint) -> None:
    """One by one, to the last field of the last object in it."""
    compare = Compare(cents=endpoint not in FOUR_DECIMALS | IN_FULL)

    apart = {
        place
        for row in sdk.truth(endpoint)
        for place in compare.differences(sdk.one(endpoint, id_of(row, endpoint)), row)
    }

    assert apart == set()


def test_no_explanation_is_stale(sdk: Sdk) -> None:
    """Each field said to be dropped by the SDK is dropped somewhere; each difference of lists is there."""
    compare, apart = Compare(), {endpoint: set[str]() for endpoint in OTHERWISE_IN_LISTS}
    for endpoint in Endpoint:
        truth = {id_of(row, endpoint): row for row in sdk.truth(endpoint)}
        for model in everything(sdk, endpoint):
            found = list(compare.differences(model, truth[model_id(model, endpoint)]))
            if endpoint in apart:
                apart[endpoint] |= {place.partition(":")[0].rpartition(".")[2] for place in found}

    assert compare.dropped == NOT_IN_SDK
    assert {endpoint: found & OTHERWISE_IN_LISTS[endpoint] for endpoint, found in apart.items()} == OTHERWISE_IN_LISTS


def test_the_sdk_has_a_list_for_every_endpoint() -> None:
    """And every single read that it has is in the table."""
    every = {f"get_{name}" for name in ("currency", "organisation", "payment_service")}

    assert set(Endpoint) - set(SINGLE) == {Endpoint.CURRENCIES, Endpoint.ORGANISATION, Endpoint.PAYMENT_SERVICES}
    assert not any(hasattr(models.AccountingApi, name) for name in every)
    assert all(hasattr(models.AccountingApi, list_method(endpoint)) for endpoint in Endpoint)


@pytest.mark.parametrize("endpoint", sorted(FOUR_DECIMALS))
def test_prices_are_rounded_unless_asked_for(sdk: Sdk, endpoint: Endpoint) -> None:
    """Without ``unitdp=4`` two decimals, which some price of the books doesn't have."""
    method = getattr(sdk.accounting, SINGLE[endpoint])
    apart: set[str] = set()
    for row in sdk.truth(endpoint):
        (model,) = records_of(method(sdk.tenant, id_of(row, endpoint)), endpoint)
        assert list(Compare(cents=True).differences(model, row)) == []
        apart |= {place.partition(":")[0].rpartition(".")[2] for place in Compare().differences(model, row)}

    assert apart <= {"UnitAmount", "UnitPrice"}
    assert apart


# -- parameters ---------------------------------------------------------------------------------------------------------


def stamp(row: Row) -> int:
    """When a record changed last, or was made where Xero says no more, in milliseconds."""
    return milliseconds(row.get("UpdatedDateUTC") or row["CreatedDateUTC"])


def milliseconds(text: str) -> int:
    """A date of Xero's."""
    return int(text.removeprefix("/Date(").removesuffix(")/").partition("+")[0])


def at(row: Row, path: str) -> Any:
    """A value deep in a record, or None."""
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def since(rows: Sequence[Row]) -> Wish:
    """Half of them; whole seconds, as the header has no others."""
    moment = sorted(map(stamp, rows))[len(rows) // 2] // 1000
    return datetime.fromtimestamp(moment, UTC), lambda row: stamp(row) >= moment * 1000


def equal(*paths: str) -> Callable[[Sequence[Row]], Wish]:
    """Those with the value of the first that has one there."""

    def choose(rows: Sequence[Row]) -> Wish:
        path, wanted = next((path, at(row, path)) for row in rows for path in paths if at(row, path))
        return wanted, lambda row: bool(at(row, path) == wanted)

    return choose


def several(path: str) -> Callable[[Sequence[Row]], Wish]:
    """Those with one of two values."""

    def choose(rows: Sequence[Row]) -> Wish:
        wanted = list(dict.fromkeys(at(row, path) for row in rows if at(row, path)))[:2]
        return wanted, lambda row: at(row, path) in wanted

    return choose


def by_day(name: str, *, to: bool) -> Callable[[Sequence[Row]], Wish]:
    """Up to the median day, or from it on."""

    def choose(rows: Sequence[Row]) -> Wish:
        days = sorted(milliseconds(row[name]) for row in rows if name in row)
        middle = days[len(days) // 2]
        wanted = datetime.fromtimestamp(middle / 1000, UTC).date()
        return wanted, lambda row: name in row and (middle - milliseconds(row[name])) * (1 if to else -1) >= 0

    return choose


def in_capitals(rows: Sequence[Row]) -> Wish:
    """A number or a name, which are found whatever the case."""
    wanted = next(at(row, path) for row in rows for path in ("InvoiceNumber", "Name") if at(row, path)).upper()
    return wanted, lambda row: wanted in (row.get("InvoiceNumber", row.get("Name")).upper())


FILTERS: dict[str, Callable[[Sequence[Row]], Wish]] = {
    "if_modified_since": since,
    "invoice_numbers": several("InvoiceNumber"),
    "contact_i_ds": several("Contact.ContactID"),
    "statuses": several("Status"),
    "references": several("Reference"),
    "status": equal("Status"),
    "contact_id": equal("ContactID", "Contact.ContactID"),
    "quote_number": equal("QuoteNumber"),
    "linked_transaction_id": equal("LinkedTransactionID"),
    "source_transaction_id": equal("SourceTransactionID"),
    "target_transaction_id": equal("TargetTransactionID"),
    "date_from": by_day("Date", to=False),
    "date_to": by_day("Date", to=True),
    "expiry_date_from": by_day("ExpiryDate", to=False),
    "expiry_date_to": by_day("ExpiryDate", to=True),
    "search_term": in_capitals,
}
"""What to ask for with each parameter that chooses, and which records must come."""

TESTED_BELOW_OR_ABOVE = {
    *("page", "page_size", "offset", "unitdp", "where", "order", "i_ds", "include_archived", "include_deleted"),
    *("summary_only", "payments_only", "created_by_my_app"),
}
MONTHS = {(Endpoint.BUDGETS, "date_from"), (Endpoint.BUDGETS, "date_to")}
"""They cut the lines of a budget, and choose no budgets."""

CHOICES = [
    (endpoint, name)
    for endpoint in Endpoint
    for name in sorted(parameters(endpoint) - TESTED_BELOW_OR_ABOVE)
    if (endpoint, name) not in MONTHS
]


@pytest.mark.parametrize(("endpoint", "name"), CHOICES)
def test_every_filter_chooses(sdk: Sdk, endpoint: Endpoint, name: str) -> None:
    """Those records come that the truth says, no others."""
    rows = sdk.truth(endpoint)
    value, passes = FILTERS[name](rows)

    found = sdk.list(endpoint, **taken(endpoint, EVERYTHING | {name: value, "page": 1, "page_size": 1000}))

    assert sorted(model_id(one, endpoint) for one in found) == sorted(
        id_of(one, endpoint) for one in rows if passes(one)
    )
    assert found


@pytest.mark.parametrize("endpoint", [one for one in Endpoint if "where" in parameters(one)])
def test_where_finds_a_record(sdk: Sdk, endpoint: Endpoint) -> None:
    """By its id, as the SDK's users write it."""
    wanted = id_of(sdk.truth(endpoint)[-1], endpoint)
    text = f'Guid("{wanted}")' if len(wanted) == 36 else f'"{wanted}"'

    found = sdk.list(endpoint, **taken(endpoint, EVERYTHING | {"where": f"{FACTS[endpoint].id_field}=={text}"}))

    assert [model_id(one, endpoint) for one in found] == [wanted]


@pytest.mark.parametrize("endpoint", [one for one in Endpoint if "i_ds" in parameters(one)])
def test_records_are_read_by_ids(sdk: Sdk, endpoint: Endpoint) -> None:
    """Those asked for."""
    wanted = [id_of(row, endpoint) for row in sdk.truth(endpoint)][:3]

    found = sdk.list(endpoint, **taken(endpoint, EVERYTHING | {"i_ds": wanted, "page": 1}))

    assert sorted(model_id(one, endpoint) for one in found) == sorted(wanted)


@pytest.mark.parametrize("endpoint", [one for one in Endpoint if "order" in parameters(one)])
def test_lists_come_in_order(sdk: Sdk, endpoint: Endpoint) -> None:
    """Of a date or a name, up and down."""
    rows = sdk.truth(endpoint)
    field = next(name for name in ("Date", "Name", "Code", "EmailAddress", "Total") if all(name in row for row in rows))
    of = {id_of(row, endpoint): milliseconds(row[field]) if field == "Date" else row[field] for row in rows}

    up, down = (
        [of[model_id(one, endpoint)] for one in sdk.list(endpoint, order=f"{field} {direction}")]
        for direction in ("ASC", "DESC")
    )

    assert up == sorted(up)
    assert down == up[::-1]


@pytest.mark.parametrize(
    "endpoint", [one for one in Endpoint if parameters(one) & {"include_archived", "include_deleted"}]
)
def test_what_lists_hide_is_shown_on_request(sdk: Sdk, endpoint: Endpoint) -> None:
    """Archived contacts and categories, deleted transfers."""
    rows = sdk.truth(endpoint)
    hidden = {
        id_of(row, endpoint)
        for row in rows
        if (row.get("ContactStatus") or row["Status"]) in {"ARCHIVED", "GDPRREQUEST"}
        or (endpoint is Endpoint.BANK_TRANSFERS and row["Status"] == "DELETED")
    }

    usual = {model_id(one, endpoint) for one in sdk.list(endpoint)}

    assert usual == {id_of(row, endpoint) for row in rows} - hidden
    assert hidden or endpoint is Endpoint.INVOICES


@pytest.mark.parametrize("endpoint", [Endpoint.INVOICES, Endpoint.CONTACTS])
def test_summaries_are_light(sdk: Sdk, endpoint: Endpoint) -> None:
    """``summaryOnly``: what is there is right; no lines, no addresses."""
    truth = {id_of(row, endpoint): row for row in sdk.truth(endpoint)}

    found = sdk.list(endpoint, summary_only=True)

    assert found
    for model in found:
        row = truth[model_id(model, endpoint)]
        assert not getattr(model, "line_items", None)
        assert model.has_attachments is not True
        assert model.updated_date_utc.timestamp() * 1000 == pytest.approx(stamp(row))


def test_pages_say_how_many_there_are(sdk: Sdk) -> None:
    """The pagination object as the SDK reads it."""
    answer = sdk.accounting.get_invoices(sdk.tenant, page=2, page_size=9)
    count = len(sdk.truth(Endpoint.INVOICES))

    told = answer.pagination
    assert (told.page, told.page_size, told.item_count, told.page_count) == (2, 9, count, -(-count // 9))
    assert len(answer.invoices) == 9


def test_journals_of_payments_only(sdk: Sdk) -> None:
    """Cash basis: nothing of unpaid documents."""
    kinds = {one.source_type for one in sdk.list(Endpoint.JOURNALS, payments_only=True)}

    assert "ACCRECPAYMENT" in kinds
    assert not kinds & {"ACCREC", "ACCPAY"}


@pytest.mark.parametrize("name", ["balance_sheet", "profit_and_loss", "trial_balance", "bank_summary"])
def test_reports_are_read(sdk: Sdk, name: str) -> None:
    """Rows and cells, the figures those of the raw answer."""
    report = getattr(sdk.accounting, f"get_report_{name}")(sdk.tenant).reports[0]

    cells = [cell.value for row in report.rows for line in row.rows or [row] for cell in line.cells or []]
    assert report.report_titles
    assert sum(text.replace(".", "").replace("-", "").isdigit() for text in cells if text) > 3
