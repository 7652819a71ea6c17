"""Books on disk."""

from pathlib import Path

from simulator.app import create_world
from simulator.books.item import Item
from simulator.books.words import Endpoint
from simulator.edits.kinds import EditKind, Wish
from simulator.edits.traffic import Traffic
from xero_stream.settings.simulator import SimulatorSettings


def test_every_kind_of_record_is_kept(tmp_path: Path) -> None:
    """What was drawn, what was edited, what followed from it, and what vanished."""
    settings = SimulatorSettings.read(tenants=1, contacts=6, invoices=30, credit_notes=4, data_dir=tmp_path)
    world = create_world(settings)
    (books,) = world.organisations.values()
    traffic = Traffic(world)
    for _ in range(150):
        traffic.edit(books, Wish(everything=True))
    gone, _ = traffic.edit(books, Wish(endpoint=Endpoint.ITEMS, kind=EditKind.DELETE))
    world.close()

    again = create_world(settings)
    (kept,) = again.organisations.values()

    for endpoint in Endpoint:
        assert {one.id: one for one in kept.shelf(endpoint)} == {one.id: one for one in books.shelf(endpoint)}
    assert kept.of(Item).get(gone.record_id) is None
    assert kept.ledger.balances(10**6) == books.ledger.balances(10**6)
    assert [one.number for one in kept.ledger.after(0)] == [one.number for one in books.ledger.after(0)]
    again.close()
