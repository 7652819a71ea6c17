"""The mark on tests that rest on a guess about Xero."""

from collections.abc import Callable

import pytest

from tests.support.unconfirmed import unconfirmed


@unconfirmed("grass is blue")
@pytest.mark.parametrize("number", [1])
async def test_a_coroutine_tells_its_fact(request: pytest.FixtureRequest, number: int) -> None:
    """Fixtures and parameters arrive as without the mark."""
    assert number == 1
    assert ("unconfirmed", "grass is blue") in request.node.user_properties


@pytest.mark.parametrize("number", [1])
@unconfirmed("snow is black")
def test_a_function_tells_its_fact_too(
    request: pytest.FixtureRequest, number: int, record_property: Callable[[str, object], None]
) -> None:
    """Also where the test asks for the property fixture itself."""
    record_property("own", number)

    assert request.node.user_properties == [("unconfirmed", "snow is black"), ("own", 1)]


def test_the_fact_can_be_read_without_running() -> None:
    """For a list of what is to be settled."""
    assert vars(test_a_function_tells_its_fact_too)["unconfirmed"] == "snow is black"
    assert test_a_function_tells_its_fact_too.__doc__ == "Also where the test asks for the property fixture itself."
