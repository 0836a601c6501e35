"""How busy other processes kept the machine, which a benchmark prints below its table."""

import os
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def clocks(monkeypatch, tmp_path):
    """Return a function that sets the system's worked seconds, the process's, and the time."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from benchmarks import others

    stat = tmp_path / "stat"
    monkeypatch.setattr(others, "_STAT", stat)

    def put(worked, own, now):
        ticks = int(worked * os.sysconf("SC_CLK_TCK"))
        # user, nice, system, idle, waiting, interrupts (2), stolen, and guests, who are users too
        stat.write_text(f"cpu  {ticks} 0 0 777 777 0 0 0 {ticks} 0\ncpu0 0 0 0 0\n")
        monkeypatch.setattr(time, "process_time", lambda: own)
        monkeypatch.setattr(time, "perf_counter", lambda: now)

    return put


def test_the_work_of_others_is_told_without_the_process_own(clocks):
    from benchmarks.others import Others

    clocks(worked=100, own=10, now=0)
    beside = Others()
    clocks(worked=115, own=19, now=10)
    assert beside.report().startswith("Other processes kept 0.60 processors busy")


def test_a_system_that_does_not_tell(clocks, monkeypatch, tmp_path):
    from benchmarks import others

    monkeypatch.setattr(others, "_STAT", tmp_path / "none")
    assert others.Others().report() == ""
