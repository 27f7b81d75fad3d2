"""One candidate's process, from outside: requests, replies, what it prints, and the clock."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from math import ceil, nan
from pathlib import Path
from typing import Any

from tgsci.errors import MeasurementError

from .inside.values import BadValue, decode, encode
from .layer import Layer, driver_code
from .limits import Limits
from .watcher import unwatch

#: Longest that an empty sandbox may take to start on a busy machine, in seconds.
_START_SECONDS = 60.0
#: Between two looks at the memory, in seconds.
_TICK = 0.05
#: What a reply takes beside the answer itself: what was printed, a message, a profile.
_REPLY_BYTES = 1 << 20
#: How often what is left of a candidate is looked for and ended.
_ROUNDS = 20
#: Files and directories that a candidate may make.
_FILES = 10_000
#: Threads that a candidate may have beside its processes.
_THREADS = 31


class Ended(Exception):
    """A candidate's process has ended, or was ended, before it replied.

    Args:
        status: "timeout", "memory", "disk", "output" or "exited".
        why: In words.
    """

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Process:
    """A candidate's process in its layer. Use it as a context: at the end nothing of it is left.

    Args:
        layer: What keeps it in.
        limits: What it may use.
        packages: What it may import beside the standard library.
        setup: What the driver is told first, beside the limits.

    Raises:
        MeasurementError: The layer does not start.
        UsageError: A package is not installed.
    """

    def __init__(self, layer: Layer, limits: Limits, packages: Sequence[str], setup: Mapping[str, Any]) -> None:
        self.limits = limits
        self.printed = {"stdout": bytearray(), "stderr": bytearray()}
        self.memory_mb = nan
        self._buffer = bytearray()
        self._started = layer.start(limits, packages)
        self._process = self._started.process
        self._pid = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._started.replies, selectors.EVENT_READ, "replies")
        streams = [self._process.stdout, self._process.stderr]
        if streams[0] is None:  # replies come that way, and all that is printed comes by the other
            streams.reverse()
        for name, stream in zip(("stdout", "stderr"), streams, strict=True):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream.fileno(), selectors.EVENT_READ, name)
        os.set_blocking(self._started.replies, False)
        os.set_blocking(self._started.requests, False)
        self._end = time.monotonic() + _START_SECONDS
        try:
            self._send(driver_code(), _START_SECONDS)
            self.send({
                **setup, "limits": _resources(limits, self._beside()), "seconds": limits.seconds,
                "drop": self._started.drop, "paths": list(self._started.paths),
            }, _START_SECONDS)  # fmt: skip
            self.receive(_START_SECONDS)
        except Ended as ended:
            said = self.printed["stderr"].decode(errors="replace").strip()[-300:]
            self.close()
            why = f"{layer.name}: Python does not start in it ({said or ended})"
            raise MeasurementError(why, transient=True) from None
        except BaseException:
            self.close()
            raise
        self._end = time.monotonic() + limits.total_seconds

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def send(self, request: Mapping[str, Any], seconds: float) -> None:
        """Send a request; what the candidate prints meanwhile is read.

        Raises:
            Ended: Its process has ended, or does not take it in time.
        """
        self._nonce = os.urandom(8)
        data = encode({**request, "nonce": self._nonce})
        self._send(len(data).to_bytes(8, "big") + data, seconds)

    def _send(self, data: bytes, seconds: float) -> None:
        left = memoryview(data)
        deadline = min(time.monotonic() + seconds, self._end)
        while left:
            try:
                left = left[os.write(self._started.requests, left) :]
            except BlockingIOError:
                self._pump(deadline, writing=True)
            except BrokenPipeError:
                raise self._exited() from None

    def receive(self, seconds: float) -> dict[str, Any]:
        """Wait for a reply to the last request.

        Raises:
            Ended: None came: the time is up, a limit was broken, or the process has ended.
        """
        deadline = min(time.monotonic() + seconds, self._end)
        most = (self.limits.output_mb << 20) + _REPLY_BYTES
        size = None
        while size is None or len(self._buffer) < 8 + size:
            if size is None and len(self._buffer) >= 8:
                size = int.from_bytes(self._buffer[:8], "big")
                if size > most:
                    raise Ended("output", f"an answer of more than {self.limits.output_mb} MB")
                continue
            self._pump(deadline)
        body = bytes(self._buffer[8 : 8 + size])
        del self._buffer[: 8 + size]
        try:
            reply = decode(body)
        except BadValue:
            reply = None
        if not isinstance(reply, dict):
            raise Ended("exited", "it wrote something else than an answer to the channel of the answers")
        if reply.get("nonce") != self._nonce:  # drawn for each request, so that none can be answered ahead
            raise Ended("exited", "it answered before it was asked")
        self._check_disk()
        return reply

    def read_memory(self) -> float:
        """Read the most memory that the candidate's own process ever had, in MB; nan where the system does not say."""
        pid = self._pid or self._find()
        for line in _status(pid):
            if line.startswith("VmHWM:"):
                self.memory_mb = int(line.split()[1]) / 1024
        return self.memory_mb

    def read_processor(self) -> float:
        """Read the processor time that the candidate's process took, in s; nan where the system does not say."""
        process = Path(f"/proc/{self._pid or self._find()}")
        try:
            told = (process / "stat").read_text()
            exact = sum(int(path.read_text().split()[0]) for path in process.glob("task/*/schedstat")) / 1e9
        except OSError:
            return nan
        user, system = told.rpartition(")")[2].split()[11:13]  # the name, in brackets, may hold anything
        # The exact count lacks threads that have ended; the count in ticks has them.
        return max(exact, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK"))

    def wait(self, seconds: float) -> int:
        """Let the process end by itself.

        Returns:
            Its exit code; negative where a signal ended it.

        Raises:
            Ended: It does not end in time, or breaks a limit.
        """
        with contextlib.suppress(OSError):
            os.set_blocking(self._started.requests, True)
            os.write(self._started.requests, b"\n")
        deadline = min(time.monotonic() + seconds, self._end)
        self._selector.unregister(self._started.replies)
        while self._process.poll() is None:
            self._pump(deadline)
        while self._read_printed():
            pass
        return _exit_code(self._process)

    def close(self) -> None:
        """End everything that belongs to the candidate."""
        if self._selector.get_map() is None:
            return
        self._selector.close()
        if self._started.directory:  # no namespace of its own, and a process may have left the group
            for _ in range(_ROUNDS):
                below = _descendants(self._started.first)
                for pid in below:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                if not below:
                    break
        with contextlib.suppress(OSError):  # gone already
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._started.first != self._process.pid and self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.kill(self._started.first, signal.SIGKILL)
        self._process.wait()
        unwatch(self._process.pid)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        os.close(self._started.requests)
        os.close(self._started.replies)
        if self._started.directory:
            self._started.directory.cleanup()

    def _pump(self, deadline: float, *, writing: bool = False) -> None:
        """Wait for something to happen, a short time at most, and read what there is."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise Ended("timeout", "the time is up")
        if writing:
            self._selector.register(self._started.requests, selectors.EVENT_WRITE, "requests")
        try:
            ready = self._selector.select(min(left, _TICK))
        finally:
            if writing:
                self._selector.unregister(self._started.requests)
        for key, _ in ready:
            if key.data == "replies":
                self._read_reply()
            elif key.data != "requests":
                self._read_stream(key.data, key.fd)
        if not ready:
            self._check_use()
            if self._process.poll() is not None and self._started.replies in self._selector.get_map():
                raise self._exited()

    def _read_reply(self) -> None:
        piece = os.read(self._started.replies, 1 << 20)
        if piece:
            self._buffer += piece
            return
        self._selector.unregister(self._started.replies)
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            raise Ended("exited", "it closed the channel of its answers") from None
        raise self._exited()

    def _read_stream(self, name: str, descriptor: int) -> bool:
        try:
            piece = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if not piece:
            self._selector.unregister(descriptor)
            return False
        self.printed[name] += piece
        if len(self.printed[name]) > self.limits.output_mb << 20:
            del self.printed[name][self.limits.output_mb << 20 :]
            raise Ended("output", f"it printed more than {self.limits.output_mb} MB")
        return True

    def _read_printed(self) -> bool:
        keys = list(self._selector.get_map().values())
        found = [self._read_stream(key.data, key.fd) for key in keys if key.data in self.printed]
        return any(found)

    def _exited(self) -> Ended:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        while self._read_printed():
            pass
        code = _exit_code(self._process)
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and self.limits.cpu_seconds < self.limits.total_seconds):
            return Ended("timeout", "the processor time is up")
        if code < 0:
            return Ended("exited", f"its process was ended by {_signal_name(-code)}")
        return Ended("exited", f"its process ended itself with exit code {code}")

    def _beside(self) -> int:
        """Count this user's threads, where the candidate is the same user in the same namespace."""
        if not self._started.directory or self._started.drop:
            return 0
        return _threads_of(os.getuid())

    def _find(self) -> int:
        """Find the candidate's own process."""
        pid = self._started.first
        for _ in range(self._started.depth):
            children = _children(pid)
            if not children:  # it has ended, or not begun
                return 0
            pid = children[0]
        self._pid = pid
        return pid

    def _check_disk(self) -> None:
        if self._started.directory:
            size, files = _use_of(self._started.directory.name)
        else:  # the layer's own file system has the size, and no limit of empty files, which the kernel has to remember
            size, files = 0, _files_in(f"/proc/{self._pid or self._find()}/root/tmp")
        if size > self.limits.disk_mb << 20:
            raise Ended("disk", f"it wrote more than {self.limits.disk_mb} MB")
        if files > _FILES:
            raise Ended("disk", f"it made more than {_FILES:,} files")

    def _check_use(self) -> None:
        """End a candidate that takes more than the kernel's limits see: all processes together, all files together."""
        self.read_memory()
        self._check_disk()
        if self.limits.processes == 1:
            return
        lines = [line for pid in _descendants(self._started.first) for line in _status(pid)]
        total = sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
        if total > self.limits.memory_mb:
            raise Ended("memory", f"its processes took more than {self.limits.memory_mb} MB together")


def _resources(limits: Limits, beside: int) -> dict[str, int]:
    """Give the limits as the kernel takes them; so many threads of the same user it counts as well."""
    return {
        "RLIMIT_AS": limits.memory_mb << 20,
        "RLIMIT_CPU": max(1, ceil(limits.cpu_seconds)),
        "RLIMIT_NPROC": limits.processes + _THREADS + beside,
        "RLIMIT_NOFILE": limits.files,
        "RLIMIT_FSIZE": limits.disk_mb << 20,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _threads_of(user: int) -> int:
    total = 0
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            facts = dict(line.split(":", 1) for line in _status(int(name)) if line.startswith(("Uid:", "Threads:")))
            if facts.get("Uid", "").split()[:1] == [str(user)]:
                total += int(facts.get("Threads", "0"))
    return total


def _descendants(pid: int) -> list[int]:
    found = _children(pid)
    for each in found:  # grows meanwhile
        found += _children(each)
    return found


def _use_of(directory: str) -> tuple[int, int]:
    """Add up the bytes of the files in a directory that may change meanwhile, and the files."""
    size = files = 0
    for place, below, names in os.walk(directory):
        files += len(below) + len(names)
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(f"{place}/{name}").st_blocks * 512
    return size, files


def _files_in(place: str) -> int:
    """Ask a file system how many files it has; 0 where nobody may."""
    try:
        system = os.statvfs(place)
    except OSError:
        return 0
    return system.f_files - system.f_ffree


def _status(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Give the exit code, a signal as a negative number: bubblewrap reports one as 128 and more, as a shell does."""
    code = process.returncode if process.returncode is not None else -int(signal.SIGKILL)
    return 128 - code if code > 128 else code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
