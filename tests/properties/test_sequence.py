"""Numbers of deliveries in any order, any number of times: what came is never missed, what did not come always is."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from processors.sync.sequence import Range, SequenceTracker, is_range, reckon

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
PATIENCE = timedelta(minutes=20)
LATER = timedelta(days=1)


def at(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Consecutive ranges, from any number on."""
    first = draw(st.integers(1, 10_000))
    found = []
    for size in draw(st.lists(st.integers(1, 5), min_size=2, max_size=12)):
        found.append((first, first + size - 1))
        first += size
    return found


@st.composite
def arrivals(draw: st.DrawFn, sent: list[tuple[int, int]]) -> list[list[Range]]:
    """Those deliveries out of order, some twice, in polls of any size; each number's first sight within a minute."""
    several = [one for one in sent for _ in range(draw(st.integers(1, 3)))]
    order = draw(st.permutations(several))
    ranges = [
        Range(first=first, last=last, noted_at=at(60 * place / len(order)), received_at=at(60 * place / len(order)))
        for place, (first, last) in enumerate(order)
    ]
    polls: list[list[Range]] = [[]]
    for one in ranges:
        if draw(st.booleans()):
            polls.append([])
        polls[-1].append(one)
    return polls


def told(polls: list[list[Range]]) -> tuple[SequenceTracker | None, list[tuple[int, int]]]:
    """The tracker at the end, and the gaps given up on the way."""
    tracker: SequenceTracker | None = None
    gaps: list[tuple[int, int]] = []
    for poll in polls:
        now = max((one.noted_at for one in poll), default=START)
        tracker, given_up = reckon(tracker, poll, now, PATIENCE)
        gaps += [(gap.first, gap.last) for gap in given_up]
    return tracker, gaps


@given(data=st.data(), sent=deliveries())
def test_what_came_is_never_missed(data: st.DataObject, sent: list[tuple[int, int]]) -> None:
    """Reordered and repeated within the time, nothing is given up, and everything is accounted for in the end."""
    tracker, gaps = told(data.draw(arrivals(sent)))
    tracker, late = reckon(tracker, (), START + LATER, PATIENCE)

    assert tracker is not None
    assert (gaps, late, tracker.lost_since, tracker.pending_ranges) == ([], [], None, ())
    assert tracker.settled == sent[-1][1]


@given(data=st.data(), sent=deliveries())
def test_what_never_came_is_missed(data: st.DataObject, sent: list[tuple[int, int]]) -> None:
    """Every number between the first seen and the last is given up once, after the time, and not before."""
    lost = data.draw(st.sets(st.sampled_from(sent)))
    came = [one for one in sent if one not in lost]
    polls = data.draw(arrivals(came)) if came else []

    tracker, early = told(polls)
    tracker, gaps = reckon(tracker, (), START + LATER, PATIENCE)
    tracker, again = reckon(tracker, (), START + 2 * LATER, PATIENCE)

    assert (early, again) == ([], [])
    if tracker is None:
        assert not came
        return
    seen_from = next(one for poll in polls if poll for one in sorted(poll, key=lambda one: one.first)).first
    missing = {number for gap in gaps for number in range(gap.first, gap.last + 1)}
    assert missing == {
        number
        for first, last in lost
        for number in range(first, last + 1)
        if seen_from < number < max(last for _, last in came)
    }
    assert (tracker.lost_since is not None) == bool(missing)
    if tracker.lost_since is not None:
        assert tracker.lost_since <= at(60)


@given(data=st.data(), sent=deliveries())
def test_a_replay_of_everything_changes_nothing(data: st.DataObject, sent: list[tuple[int, int]]) -> None:
    """However late: those numbers are accounted for."""
    tracker, _ = told(data.draw(arrivals(sent)))
    before, _ = reckon(tracker, (), START + LATER, PATIENCE)
    replayed = [
        Range(first=first, last=last, noted_at=START + LATER, received_at=START + LATER) for first, last in sent
    ]

    after, gaps = reckon(before, replayed, START + 2 * LATER, PATIENCE)

    assert (after, gaps) == (before, [])


@given(st.one_of(st.integers(), st.booleans(), st.floats(), st.none(), st.text()), st.integers())
def test_only_what_can_be_a_range_is_one(first: object, last: int) -> None:
    """An intent to receive (0, 0) is none, nor is anything that would fit no column."""
    if is_range(first, last):
        assert type(first) is int
        assert 0 < first <= last < 2**63
        assert last - first < 100_000
    assert not is_range(0, 0)
    assert not is_range(5, 4)
    assert not is_range(2**63, 2**63)
