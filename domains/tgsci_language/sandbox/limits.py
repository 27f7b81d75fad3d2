"""What a candidate may use."""

from __future__ import annotations

from dataclasses import dataclass

from tgsci.basics.settings import check, setting


@dataclass(frozen=True)
class Limits:
    """What a candidate may use: time, memory, processes, files and output. The defaults suit a short function."""

    seconds: float = setting("longest that one call may take, by the clock", 5.0, above=0.0, high=86400.0, unit="s")
    total_seconds: float = setting(
        "longest that the code itself and all calls together may take",
        60.0,
        above=0.0,
        high=86400.0,
        unit="s",
    )
    cpu_seconds: float = setting("most processor time of one process", 60.0, above=0.0, high=86400.0, unit="s")
    memory_mb: int = setting("most memory of all processes together", 512, low=64, high=1_000_000, unit="MB")
    processes: int = setting("most processes at a time, the candidate's own included", 1, low=1, high=256)
    files: int = setting("most files open at a time", 64, low=16, high=4096)
    disk_mb: int = setting("size of /tmp, the one place that can be written", 16, low=1, high=100_000, unit="MB")
    output_mb: int = setting("most that is printed, and most of one answer", 4, low=1, high=1000, unit="MB")

    def __post_init__(self) -> None:
        check(self)
