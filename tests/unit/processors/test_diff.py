"""Paths that differ."""

from processors.recorder.diff import MOST, changed_fields


def test_paths_are_named_down_to_the_value() -> None:
    """Nested objects by dots, lists of equal length by index."""
    before = {"status": "a", "contact": {"id": 1, "name": "x"}, "lines": [{"q": 1.0}, {"q": 2.0}]}
    after = {"status": "b", "contact": {"id": 1, "name": "y"}, "lines": [{"q": 1.0}, {"q": 3.0}]}
    assert changed_fields(before, after) == ["status", "contact.name", "lines[1].q"]


def test_a_list_of_another_length_is_named_as_a_whole() -> None:
    """Indexes would only confuse."""
    assert changed_fields({"lines": [1]}, {"lines": [1, 2]}) == ["lines"]


def test_added_and_removed_fields_count() -> None:
    """Whichever side has them."""
    assert changed_fields({"a": 1}, {"b": 1}) == ["b", "a"]


def test_null_zero_and_false_differ() -> None:
    """JSON has types."""
    assert changed_fields({"a": None}, {"a": 0.0}) == ["a"]
    assert changed_fields({"a": 0}, {"a": False}) == ["a"]


def test_a_created_or_deleted_record_names_all_its_fields() -> None:
    """Everything differs."""
    assert changed_fields(None, {"b": 1, "a": 2}) == ["a", "b"]
    assert changed_fields({"b": 1}, None) == ["b"]
    assert changed_fields(None, None) == []


def test_the_list_is_bounded() -> None:
    """A 5,000-line invoice must not double the message."""
    paths = changed_fields({"n": list(range(5000))}, {"n": list(range(1, 5001))})
    assert len(paths) == MOST + 1
    assert paths[-1] == "…"
