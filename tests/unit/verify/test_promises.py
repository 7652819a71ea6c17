"""The checkers: silent on a good history, and each broken one is named by the promise it breaks."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.histories import PARTITION, PARTITIONS, TENANT, altered, good_log, ref
from verify.history import Change, EventRef, History, RecordMessage, Spot, latest
from verify.promises import (
    Finding,
    Promise,
    acknowledged,
    chained,
    check,
    compacted,
    continuous,
    described,
    differences,
    equal_to_truth,
    gapless,
    in_order,
    keyed,
    never_older,
    once,
    placed,
    published_state,
)

I1 = {"tenant_id": TENANT, "id": "i1", "status": "draft", "total": 10.0}
"""An invoice as it was first."""


def headed(change: Change, **headers: str) -> Change:
    """The change with other headers."""
    return replace(change, headers={**change.headers, **headers})


def promises(findings: list[Finding]) -> set[Promise]:
    """Which promises were broken."""
    return {finding.promise for finding in findings}


@pytest.fixture
def history() -> History:
    """A good one."""
    return good_log().history()


def test_a_good_history_has_no_findings(history: History) -> None:
    """Created, updated, deleted, revived, over two topics of a partition: all is well."""
    assert check(history) == []


def test_the_order_of_reading_does_not_matter(history: History) -> None:
    """Partitions are read side by side; the checks go by the places in the log."""
    assert check(replace(history, changes=tuple(reversed(history.changes)))) == []


def test_every_check_is_asked(history: History) -> None:
    """A change in the wrong partition is found by the whole check where the partition count is known."""
    moved = replace(history, partitions=PARTITIONS + 4)
    assert promises(check(moved)) == {Promise.PLACED}


def test_nothing_recorded_is_not_equal_to_a_truth(history: History) -> None:
    """An empty log is no success where Xero has records."""
    empty = History(truth=history.truth)
    assert {finding.what for finding in check(empty)} == {"was never published"}


def test_a_lost_change_is_a_gap_and_a_broken_chain(history: History) -> None:
    """One change missing in the middle is seen by position and by ``previous``."""
    broken = replace(history, changes=[*history.changes[:2], *history.changes[3:]])

    assert [finding.what for finding in gapless(broken.changes)] == ["lacks position 3"]
    assert "previous is 3, but the change before it is at 1" in {finding.what for finding in chained(broken.changes)}
    assert {Promise.GAPLESS, Promise.IN_ORDER} <= promises(check(broken))


def test_a_lost_beginning_is_a_gap(history: History) -> None:
    """Positions start at 1 and the first ``previous`` is 0, unless retention is known to have dropped the beginning."""
    late = history.changes[3:]

    assert [finding.what for finding in gapless(late)] == ["lacks position 1 to 3"]
    assert chained(late)
    assert gapless(late, {PARTITION: 4}) == []
    assert chained(late, {PARTITION: 4}) == []
    assert continuous(late, {PARTITION: 4}) == []


def test_a_topic_that_lost_its_last_change_is_a_gap(history: History) -> None:
    """Positions are gapless over all topics together, so one topic alone can't hide a loss."""
    only_invoices = [change for change in history.changes if change.spot.topic.endswith("invoices")]
    assert {finding.promise for finding in gapless(only_invoices)} == {Promise.GAPLESS}


def test_a_change_twice_is_seen_by_its_id(history: History) -> None:
    """The same ce_id at another offset is a duplicate."""
    first = history.changes[0]
    again = replace(first, spot=first.spot._replace(offset=999))

    found = once([*history.changes, again])

    assert promises(found) == {Promise.ONCE}
    assert len(found) == 2  # the id, and the position
    assert str(again.spot) in {finding.where for finding in found}


def test_a_position_given_twice_is_seen(history: History) -> None:
    """Two changes with ids of their own may not share a position."""
    twin = altered(history.changes[1], source={"position": 1})
    assert promises(once([history.changes[0], headed(twin, ce_id="another")])) == {Promise.ONCE}


def test_a_change_without_an_id_is_seen(history: History) -> None:
    """Without ce_id nobody could drop a duplicate."""
    assert [finding.what for finding in once([headed(history.changes[0], ce_id="")])] == ["has no ce_id"]


def test_a_records_message_needs_an_id_of_its_own(history: History) -> None:
    """The id of the change behind it belongs to other data: who drops repeated ids would drop one of the two."""
    shared = replace(history.records[3], headers={**history.records[3].headers, "ce_id": history.changes[3].ce_id})

    (found,) = once(history.changes, [*history.records[:3], shared, *history.records[4:]])

    assert (found.promise, found.where) == (Promise.ONCE, str(shared.spot))
    assert promises(once([], [replace(shared, headers={})])) == {Promise.ONCE}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (b'{"tenant_id":"t","record_id":"i1"}', "the key is"),
        (b'{"tenant_id":"t","id":"i1"}', "the key is not that of"),
    ],
)
def test_a_key_that_is_no_part_of_the_record_is_seen(history: History, key: bytes, words: str) -> None:
    """Of other fields, or of another record."""
    (found, *_) = keyed([replace(history.changes[0], key=key)])
    assert found.promise is Promise.KEYED
    assert words in found.what


def test_a_record_without_the_fields_of_its_key_is_seen(history: History) -> None:
    """``before``, ``after`` and the records topic alike."""
    bare = {"id": "i1", "status": "draft", "total": 10.0}
    message = replace(history.records[0], value={"position": 1, "record": bare})

    assert promises(keyed([altered(history.changes[0], after=bare)])) == {Promise.KEYED}
    assert promises(keyed([altered(history.changes[2], before=bare)])) == {Promise.KEYED}
    assert promises(keyed([], [message])) == {Promise.KEYED}


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("ce_type", "io.xerostream.invoice.created"),
        ("ce_dataschema", "urn:xero-stream:schema:change-event:1"),
        ("content-type", "text/plain"),
        ("ce_partitionkey", TENANT),
    ],
)
def test_a_header_that_says_something_else_is_seen(history: History, header: str, text: str) -> None:
    """On a change (a first load: ``.read``) and on the record beside it."""
    record = history.records[0]

    (change_found,) = described([headed(history.changes[0], **{header: text})])
    (record_found,) = described([], [replace(record, headers={**record.headers, header: text})])

    assert change_found.promise is record_found.promise is Promise.DESCRIBED
    assert header in change_found.what


def test_a_tombstone_with_headers_of_data_is_seen(history: History) -> None:
    """CloudEvents SDKs would parse JSON that is not there."""
    tombstone = next(message for message in history.records if message.value is None)
    typed = replace(tombstone, headers={**tombstone.headers, "content-type": "application/json"})

    assert [finding.what for finding in described([], [typed])] == ["a tombstone has content-type"]


def test_changed_order_is_seen(history: History) -> None:
    """Two changes of a topic that swapped places in the log."""
    one, other = history.changes[0], history.changes[2]
    swapped = [replace(one, spot=other.spot), replace(other, spot=one.spot), *history.changes[3:]]

    assert [finding.what for finding in in_order(swapped)] == ["position 1 comes after 3"]
    assert promises(chained(swapped)) == {Promise.IN_ORDER}


def test_a_wrong_link_is_seen(history: History) -> None:
    """``previous`` that names anything but the change before it."""
    broken = [*history.changes[:4], altered(history.changes[4], source={"previous": 3}), *history.changes[5:]]
    assert [finding.what for finding in chained(broken)] == ["previous is 3, but the change before it is at 4"]


def test_an_older_state_after_a_newer_is_seen(history: History) -> None:
    """UpdatedDateUTC of a record never goes back."""
    broken = [*history.changes[:4], altered(history.changes[4], source={"ts_ms": 2}), *history.changes[5:]]

    found = never_older(broken)

    assert promises(found) == {Promise.PUBLISHED}
    assert "comes after one of 3" in found[0].what


def test_equal_or_missing_stamps_are_no_step_back(history: History) -> None:
    """Xero moves some content without moving the stamp, and some deletes have none."""
    stamps = [altered(change, source={"ts_ms": 5 if n % 2 else None}) for n, change in enumerate(history.changes)]
    assert never_older(stamps) == []


def test_a_wrong_partition_is_seen(history: History) -> None:
    """A tenant's changes are where every producer in the world would look for them."""
    elsewhere = (PARTITION + 1) % PARTITIONS
    change = history.changes[0]

    assert placed([change], PARTITIONS) == []
    assert placed([replace(change, spot=change.spot._replace(partition=elsewhere))], PARTITIONS)
    assert placed([altered(change, source={"partition": elsewhere})], PARTITIONS)


@pytest.mark.parametrize(
    ("place", "fields", "words"),
    [
        (2, {"before": {"id": "i1", "status": "paid", "total": 10.0}}, "before is not what the last change left"),
        (2, {"op": "c"}, "op c, but an earlier change left it there"),
        (3, {"op": "u"}, "op u, but no earlier change left it there"),
        (5, {"op": "d", "after": {"id": "c1"}}, "op d with an after"),
        (2, {"after": None}, "op u with no after"),
        (2, {"after": I1}, "nothing differs"),
    ],
)
def test_a_change_that_does_not_follow_is_seen(
    history: History, place: int, fields: dict[str, Any], words: str
) -> None:
    """Each change begins where the last one of its record ended, its op fits, and something differs."""
    broken = list(history.changes)
    broken[place] = altered(broken[place], **fields)

    found = continuous(broken)

    assert promises(found) == {Promise.DIFFERENCE}
    assert words in found[0].what


def test_the_first_change_of_a_record_may_be_its_end_and_only_once(history: History) -> None:
    """With what Xero still showed of it, at least the key. A second end ends nothing."""
    end = altered(history.changes[0], op="d", before={"tenant_id": TENANT, "id": "i1"}, after=None)
    assert continuous([end]) == []

    again = replace(altered(end, source={"position": 99}), spot=end.spot._replace(offset=99))
    (found,) = continuous([end, again])
    assert "op d, but no earlier change left it there" in found.what


@pytest.mark.parametrize(
    ("place", "fields", "words"),
    [
        (2, {"before": None}, "op u with no before"),
        (5, {"before": None}, "op d with no before"),
        (0, {"op": "d", "before": None, "after": None}, "op d with no before"),
        (0, {"before": {"id": "i1"}}, "op r with a before"),
        (7, {"before": {"id": "i2"}}, "op c with a before"),
    ],
)
@pytest.mark.parametrize("start", [{}, {PARTITION: 1}])
def test_a_before_that_is_not_there_is_seen(
    history: History, place: int, fields: dict[str, Any], words: str, start: dict[int, int]
) -> None:
    """Also where it says that it was left out for its size, and where retention dropped the beginning of the log."""
    broken = list(history.changes)
    broken[place] = altered(broken[place], omitted=["before.total"], **fields)

    assert words in continuous(broken, start)[0].what


def test_only_what_was_left_out_for_its_size_is_not_judged(history: History) -> None:
    """A change too large for a field says so: that field can't be compared, in it, its successor and the truth. Others can."""
    broken = list(history.changes)
    left = {"before": {**I1, "total": None}, "after": {**I1, "status": "authorised", "total": None}}
    broken[2] = altered(broken[2], **left, omitted=["raw", "before.total", "after.total"])
    authorised = {**I1, "status": "authorised"}
    others = {ref("c1", "contacts"): {"tenant_id": TENANT, "id": "c1", "name": "Ridgeway"}}

    assert continuous(broken) == []
    assert equal_to_truth(latest(broken[:3]), {ref("i1"): authorised, **others}) == []
    held = replace(history.records[2], value={"position": 3, "record": authorised})
    assert compacted({ref("i1"): latest(broken[:3])[ref("i1")]}, [held]) == []
    short = replace(held, value={"position": 3, "record": {**I1, "total": None}, "omitted": ["record.total"]})
    assert "status" in compacted({ref("i1"): latest(history.changes[:3])[ref("i1")]}, [short])[0].what

    assert "status" in equal_to_truth(latest(broken[:3]), {ref("i1"): I1, **others})[0].what
    broken[4] = altered(broken[4], before={**authorised, "status": "draft"})
    assert "before is not what the last change left: status" in continuous(broken)[0].what


def test_a_missing_record_is_seen(history: History) -> None:
    """Xero has a record that was never published."""
    found = equal_to_truth(latest(history.changes), {**history.truth, ref("i9"): {"id": "i9"}})
    assert [(finding.where, finding.what) for finding in found] == [(str(ref("i9")), "was never published")]


def test_a_different_record_is_seen_with_the_field(history: History) -> None:
    """The finding names the field, what Xero has and what was published."""
    truth = {**history.truth, ref("i1"): {**I1, "status": "voided"}}
    found = equal_to_truth(latest(history.changes), truth)
    assert [finding.what for finding in found] == ["differs: status: expected 'voided', found 'paid'"]


def test_a_record_that_is_gone_must_not_stay(history: History) -> None:
    """Deleted, merged or erased in Xero, and still published."""
    found = equal_to_truth(latest(history.changes), {**history.truth, ref("i1"): None})
    assert [finding.what for finding in found] == ["is gone in Xero, and still published"]


def test_a_record_that_is_there_must_not_be_deleted(history: History) -> None:
    """Published as deleted, though Xero has it."""
    found = equal_to_truth(latest(history.changes), {**history.truth, ref("c1", "contacts"): {"id": "c1"}})
    assert [finding.what for finding in found] == ["is published as deleted, and is there in Xero"]


def test_a_record_nobody_has_is_seen(history: History) -> None:
    """Published, and unknown to Xero."""
    truth = {name: record for name, record in history.truth.items() if name != ref("i1")}
    found = equal_to_truth(latest(history.changes), truth)
    assert [finding.what for finding in found] == ["is published, and Xero has no such record"]


def test_a_record_gone_before_it_was_seen_needs_no_change(history: History) -> None:
    """What was deleted before anybody read it was never published, and that is right."""
    assert equal_to_truth(latest(history.changes), {**history.truth, ref("i9"): None}) == []


def test_an_acknowledged_webhook_that_is_not_in_the_log_is_seen(history: History) -> None:
    """Answered 200 means in the log, event by event; more in the log than answered is no harm."""
    found = acknowledged(history.acknowledged, [EventRef("aa", 0), EventRef("bb", 0), EventRef("cc", 0)])
    assert [finding.where for finding in found] == ["event 1 of delivery aa"]
    assert promises(found) == {Promise.ACKNOWLEDGED}


def test_the_records_topic_must_hold_the_latest(history: History) -> None:
    """Content and position of the last change; a tombstone where it was a delete."""
    state = latest(history.changes)
    last = {message.ref: message for message in history.records}

    def without(record_id: str, entity: str = "invoices") -> list[RecordMessage]:
        return [message for message in history.records if message.ref != ref(record_id, entity)]

    stale = replace(last[ref("i1")], value={"position": 3, "record": {**I1, "status": "authorised"}})
    assert "position 3, but the record's last change is at 5" in compacted(state, [*without("i1"), stale])[0].what
    other = replace(last[ref("i1")], value={"position": 5, "record": I1})
    assert "differs from the last change: status" in compacted(state, [*without("i1"), other])[0].what
    assert "not held" in compacted(state, without("i1"))[0].what
    buried = replace(last[ref("i1")], value=None)
    assert "this is a tombstone" in compacted(state, [*without("i1"), buried])[0].what
    revived = replace(last[ref("c1", "contacts")], value={"position": 6, "record": {"id": "c1"}})
    assert "no tombstone" in compacted(state, [*without("c1", "contacts"), revived])[0].what
    stranger = replace(last[ref("i1")], key=b'{"tenant_id":"t","id":"x"}', value={"position": 9, "record": {}})
    assert "has no change" in compacted(state, [*history.records, stranger])[0].what


def test_what_compaction_removed_is_not_missed(history: History) -> None:
    """Only the last message of each key has to be there, and tombstones may be gone."""
    last = {message.ref: message for message in history.records}
    assert compacted(latest(history.changes), [message for message in last.values() if message.value is not None]) == []


def test_records_older_than_the_changes_kept_count_as_published(history: History) -> None:
    """Where retention dropped a record's last change, the records topic speaks for it."""
    aged = replace(history, changes=history.changes[5:], start={PARTITION: 6})

    assert ref("i1") in published_state(aged)
    assert check(aged) == []
    assert "was never published" in {finding.what for finding in check(replace(aged, start={}))}


def test_findings_quote_the_promise_and_the_place(history: History) -> None:
    """A finding can be read on its own."""
    (finding,) = gapless([*history.changes[:2], *history.changes[3:]])
    assert str(finding) == (
        f"partition {PARTITION}: lacks position 3 (“Over all topics of a partition, `position` is gapless”)"
    )
    assert str(Spot("xero.changes.invoices", 2, 7)) == "xero.changes.invoices/2@7"


def test_differences_name_paths() -> None:
    """Nested fields, lists of another length, fields that are missing or too many; long values are cut."""
    expected = {"a": {"b": 1}, "rows": [{"n": 1}, {"n": 2}], "gone": 1, "list": [1]}
    found = {"a": {"b": 2}, "rows": [{"n": 1}, {"n": 3}], "more": 1, "list": [1, 2]}

    assert differences(expected, found) == [
        "a.b: expected 1, found 2",
        "rows[1].n: expected 2, found 3",
        "gone: missing",
        "list: expected [1], found [1, 2]",
        "more: not expected",
    ]
    assert len(differences("x" * 500, "y")[0]) < 120
