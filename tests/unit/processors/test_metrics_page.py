"""Every metric of the processors is documented."""

from pathlib import Path

from xero_stream.telemetry.page import documented

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_page_names_every_metric() -> None:
    """``docs/metrics.md`` says what the code does."""
    service, docs = documented("processors.metrics:ProcessorMetrics")
    text = PAGE.read_text(encoding="utf-8")

    assert f"## {service}" in text
    for doc in docs:
        assert f"| `{doc.name}` | {doc.kind} |" in text, f"{doc.name}: write docs/metrics.md anew"
        assert doc.meaning in text
