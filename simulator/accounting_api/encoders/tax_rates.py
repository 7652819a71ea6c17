"""Tax rates."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import tax_percent
from simulator.books.tax_rate import TaxComponent, TaxRate


def tax_rate(record: TaxRate, view: View) -> dict[str, Any]:
    """A tax rate with its components."""
    del view
    components = record.components or (TaxComponent(name="GST", rate=record.rate),)
    return {
        "Name": record.name,
        "TaxType": record.id,
        "ReportTaxType": record.report_tax_type,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": record.purchases,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": record.sales,
        "DisplayTaxRate": tax_percent(record.display_rate),
        "EffectiveRate": tax_percent(record.rate),
        "Status": record.status,
        "TaxComponents": [
            {
                "Name": one.name,
                "Rate": tax_percent(one.rate),
                "IsCompound": one.compound,
                "IsNonRecoverable": one.unrecovered,
            }
            for one in components
        ],
    }
