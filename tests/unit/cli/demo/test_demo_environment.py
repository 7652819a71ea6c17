"""What the demo sees before it starts anything."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli.demo.environment import StartFailedError, build
from cli.demo.places import Places


def quiet(_: str) -> None:
    """Nobody listens."""


async def test_another_seed_is_told_before_a_server_starts(tmp_path: Path) -> None:
    """The books that are kept have their seed; nothing of a server was made."""
    places = Places(tmp_path)
    await places.claim(fresh=False, progress=quiet)
    places.keep_seed(1)
    said: list[str] = []

    with pytest.raises(StartFailedError, match="was made with --seed 1: leave --seed out, or start over with --fresh"):
        async with AsyncExitStack() as stack:
            await build(stack, places, fresh=False, seed=2, say=said.append, on_restart=lambda *_: None)

    assert said == []
    assert not (tmp_path / "postgres").exists()


def test_no_seed_is_kept(tmp_path: Path) -> None:
    """Neither where there is none nor where the file says something else."""
    assert Places(tmp_path).seed is None

    Places(tmp_path).keep_seed(7)
    assert Places(tmp_path).seed == 7

    (tmp_path / "demo-seed").write_text("x")
    assert Places(tmp_path).seed is None
