"""Whom root becomes, and with which capability."""

import os
import stat

import pytest

from xero_stream.local.accounts import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    held_capabilities,
    may_enter,
    needed_capability,
)


def test_capabilities_are_read_from_the_kernel() -> None:
    """The permitted set of ``/proc/<pid>/status``."""
    assert held_capabilities("Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000006\n") == {1, 2}
    assert held_capabilities("Name:\tx\n") == frozenset()


@pytest.mark.parametrize(
    ("held", "execute", "needed"),
    [
        ({CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH}, False, CAP_DAC_READ_SEARCH),
        ({CAP_DAC_OVERRIDE}, False, CAP_DAC_OVERRIDE),
        ({CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH}, True, CAP_DAC_OVERRIDE),
        ({CAP_DAC_READ_SEARCH}, True, None),
        (set(), False, None),
    ],
)
def test_the_least_capability_is_taken(held: set[int], execute: bool, needed: int | None) -> None:
    """Reading and entering is enough for folders; a program only root may execute needs more."""
    assert needed_capability(frozenset(held), execute=execute) == needed


def folder(mode: int, uid: int = 0, gid: int = 0) -> os.stat_result:
    """The status of a folder."""
    return os.stat_result((stat.S_IFDIR | mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("folders", "may"),
    [
        ([folder(0o755), folder(0o711)], True),
        ([folder(0o755), folder(0o700), folder(0o755)], False),
        ([folder(0o700, uid=7)], True),
        ([folder(0o655, uid=7)], False),
        ([folder(0o710, gid=8)], True),
        ([folder(0o701, gid=8)], False),
    ],
)
def test_every_folder_on_the_way_counts(folders: list[os.stat_result], may: bool) -> None:
    """The user's own bits count where it is the owner, then the group's, then everybody's: never a later one."""
    assert may_enter(folders, uid=7, gid=8) is may
