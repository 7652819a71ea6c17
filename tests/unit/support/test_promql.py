"""The evaluator of alert rules, on pages written by hand."""

import pytest

from tests.support.promql import Scrapes, UnsupportedError, evaluate


def scraped(*pages: str | None, job: str = "j", instance: str = "i", scrapes: Scrapes | None = None) -> Scrapes:
    """Pages of one target, a second apart, the last at second 100."""
    scrapes = scrapes or Scrapes()
    for number, page in enumerate(pages):
        scrapes.add(job, instance, 101.0 - len(pages) + number, page)
    return scrapes


def numbers(expression: str, scrapes: Scrapes) -> list[float]:
    """The numbers of the vector, in order."""
    return sorted(evaluate(expression, scrapes, 100.0).values())


def test_selectors_see_the_last_scrape_only() -> None:
    """A series that is gone from the page, or whose target is down, is gone at once."""
    assert numbers("a", scraped("a 1\nb 2\n", "a 3\n")) == [3.0]
    assert numbers("b", scraped("a 1\nb 2\n", "a 3\n")) == []
    assert numbers("a", scraped("a 1\n", None)) == []
    assert numbers('up{job="j"} == 1', scraped("a 1\n", None)) == []
    assert numbers('absent(up{job="j"} == 1)', scraped("a 1\n", None)) == [1.0]
    assert numbers('absent(up{job="j"} == 1)', scraped("a 1\n")) == []
    assert numbers('a{x="1"}', scraped('a{x="1"} 5\na{x="2"} 6\n')) == [5.0]


def test_aggregations_and_comparisons() -> None:
    """Over all targets, by label, filtered; a vector against another one."""
    two = scraped('a{x="1"} 5\na{x="2"} -70\nowned 1\nall 3\n')
    scraped('a{x="1"} 9\nowned 1\nall 3\n', instance="other", scrapes=two)
    assert numbers("sum(a)", two) == [-56.0]
    assert numbers("max by (x) (abs(a)) > 8", two) == [9.0, 70.0]
    assert numbers("min(a) < 0", two) == [-70.0]
    assert numbers("sum(owned) < max(all)", two) == [2.0]
    assert numbers("sum(missing) < max(all)", two) == []


def test_or_and_unless() -> None:
    """The other side where this one is silent; this one unless the other speaks."""
    both = scraped("a 1\nb 2\n")
    assert numbers("max(a) > 5 or max(b) > 1", both) == [2.0]
    assert numbers("(max(a) > 0 unless max(b) > 1)", both) == []
    assert numbers("max(a) > 0 unless max(b) > 5", both) == [1.0]
    assert numbers("max(a) and max(b)", both) == [1.0]


def test_rates_as_prometheus_has_them() -> None:
    """Extrapolated to the window, a reset counted from zero; one sample says nothing."""
    pages = [f"c_total {number}\n" for number in (10, 11, 12, 13, 14, 15)]
    assert numbers("increase(c_total[6s])", scraped(*pages)) == pytest.approx([6.0])
    assert numbers("rate(c_total[6s])", scraped(*pages)) == pytest.approx([1.0])
    reset = [f"c_total {number}\n" for number in (10, 11, 12, 1, 2, 3)]
    assert numbers("increase(c_total[6s])", scraped(*reset)) == pytest.approx([6.0])
    assert numbers("rate(c_total[6s])", scraped("c_total 1\n")) == []


@pytest.mark.parametrize(
    "expression", ["avg(a)", "a offset 5m", "a + 1", 'a{x=~"b"}', "a and on (x) b", "deriv(a[5m])"]
)
def test_what_is_not_evaluated_says_so(expression: str) -> None:
    """A rule that uses more fails; it is not taken for quiet."""
    with pytest.raises(UnsupportedError):
        evaluate(expression, scraped("a 1\n"), 100.0)
