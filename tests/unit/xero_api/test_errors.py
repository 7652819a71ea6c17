"""The tree of errors and the table of intents."""

import xero_api.errors
from xero_api.errors import INTENTS, Intent, InvalidRecordError, XeroError, intent


def _classes(root: type[XeroError]) -> list[type[XeroError]]:
    return [root, *(found for child in root.__subclasses__() for found in _classes(child))]


def test_every_error_has_one_intent_and_a_hint() -> None:
    """Each class below the root finds its branch in the table, and tells an operator what to do."""
    for kind in _classes(XeroError)[1:]:
        assert sum(1 for branch in INTENTS if issubclass(kind, branch)) == 1, kind
        assert kind.hint.endswith((".", ".com.")), kind
        assert "quarantine" not in kind.hint, kind  # that is the processors'; the library has none


def test_every_intent_is_used() -> None:
    """The table leaves none out."""
    assert set(INTENTS.values()) == set(Intent)


def test_the_tree_in_the_docstring_is_complete() -> None:
    """Each class is drawn."""
    for kind in _classes(XeroError):
        assert kind.__name__ in (xero_api.errors.__doc__ or "")


def test_an_error_of_no_branch_is_tried_again() -> None:
    """The root itself says nothing; retrying is the harmless choice."""
    assert intent(XeroError("?")) is Intent.RETRY


def test_a_path_grows_outwards() -> None:
    """Nested mappings put their part in front."""
    error = InvalidRecordError("Quantity", "expected a number").under("LineItems[3]")

    assert error.path == "LineItems[3].Quantity"
    assert str(error) == "LineItems[3].Quantity: expected a number"
