"""The tree of a server's processes, whatever the system's table says."""

from hypothesis import given
from hypothesis import strategies as st

from xero_stream.process.shim import descendants


@given(st.dictionaries(st.integers(1, 30), st.integers(0, 30)), st.integers(1, 30))
def test_any_table_of_parents_ends(parent_of: dict[int, int], root: int) -> None:
    """A table read while processes come and go may even hold circles: the search ends, without doubles."""
    found = descendants(root, parent_of)

    assert len(found) == len(set(found))
    assert all(parent_of[pid] in {root, *found} for pid in found)
