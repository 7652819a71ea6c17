"""Items."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import money, ms_date, quantity, unit_amount
from simulator.books.amounts import ONE, TenThousandths, half_up
from simulator.books.item import INVENTORY, Item


def item(record: Item, view: View) -> dict[str, Any]:
    """An item; quantity and value only where its stock is tracked."""
    fields: dict[str, Any] = {
        "ItemID": record.id,
        "Code": record.code,
        "Name": record.name,
        "Description": record.description,
        "PurchaseDescription": record.purchase_description or record.description,
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "PurchaseDetails": _side(record.is_purchased, record.purchase_price, record.purchase_tax, view),
        "SalesDetails": _side(record.is_sold, record.sales_price, record.sales_tax, view),
        "IsTrackedAsInventory": record.is_tracked,
        "IsSold": record.is_sold,
        "IsPurchased": record.is_purchased,
    }
    if record.is_sold and record.sales_account:
        fields["SalesDetails"]["AccountCode"] = record.sales_account
    if record.is_purchased and record.purchase_account:
        fields["PurchaseDetails"]["COGSAccountCode" if record.is_tracked else "AccountCode"] = record.purchase_account
    if record.is_tracked:
        on_hand = view.books.on_hand(record)
        fields |= {
            "InventoryAssetAccountCode": INVENTORY,
            "TotalCostPool": money(half_up(on_hand * record.purchase_price, ONE * ONE // 100)),
            # Nothing is on hand while anything is on back order (release notes of Xero's OpenAPI 16.2.0).
            "QuantityOnHand": quantity(max(0, on_hand)),
            "QuantityAvailable": quantity(on_hand),
            "QuantityOnBackOrder": quantity(max(0, -on_hand)),
        }
    return fields


def _side(exists: bool, price: TenThousandths, tax: str, view: View) -> dict[str, Any]:
    shown = price if view.four_decimals else half_up(price, 100) * 100
    return {"UnitPrice": unit_amount(shown), "TaxType": tax} if exists else {}
