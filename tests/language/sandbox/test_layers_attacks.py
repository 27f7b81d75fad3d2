"""What hostile code tries, on each layer that this machine has."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tgsci_language.sandbox.calls import Call, call, run
from tgsci_language.sandbox.layers import Bubblewrap, Sandlock
from tgsci_language.sandbox.limits import Limits

QUICK = Limits(seconds=2.0, total_seconds=5.0, memory_mb=128)


def answer(source, layer, limits=QUICK, arguments=()):
    """Let the function `f` of a candidate try something."""
    outcome = call(source, "f", [arguments], limits, layer=layer)
    return outcome.calls[0], outcome


def tried(body, layer, limits=QUICK):
    """Run the body of a function; what it returns, or the name of what it raised."""
    source = "def f():\n" + "\n".join(f"    {line}" for line in body.strip().splitlines())
    result, outcome = answer(source, layer, limits)
    return result.value if result.returned else result.error or (outcome.status if outcome.message else result.status)


def processes_with(word):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            if line.startswith(b"python\0") and word in line:
                found.append(path)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("start", ["os.fork()", "subprocess.Popen(['/bin/true'])", "multiprocessing.Process().start()"])
def test_no_process_can_be_started(safe, start):
    modules = "import os, subprocess, multiprocessing"
    assert tried(f"{modules}\n{start}\nreturn 'started'", safe) in ("PermissionError", "BlockingIOError")


def test_a_fork_bomb_ends_at_the_limit_of_processes(safe):
    bomb = """
import os, time
count = 0
try:
    while count < 2000:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except OSError:
    pass
return count
"""
    started = time.monotonic()
    assert tried(bomb, safe, Limits(seconds=3, processes=8)) in range(1, 40)
    assert time.monotonic() - started < 30


def test_threads_end_at_a_limit_too(safe):
    bomb = """
import threading, time
count = 0
try:
    while count < 2000:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError:
    pass
return count
"""
    assert tried(bomb, safe) in range(1, 64)


def test_memory_ends_at_its_limit(safe):
    assert tried("return len(bytearray(1 << 30))", safe) == "MemoryError"
    assert tried("kept = []\nwhile True: kept.append(bytearray(1 << 20))", safe) == "MemoryError"


#: bubblewrap's candidates are ended from here; sandlock ends the processes that take too much, one by one.
_MEMORY_ENDS = {Bubblewrap: ["memory"], Sandlock: ["memory", "exited", "timeout"]}


def test_processes_together_end_at_the_limit_of_memory(safe):
    bomb = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = bytearray(b"x") * (60 << 20)
        time.sleep(60)
time.sleep(60)
"""
    assert tried(bomb, safe, Limits(seconds=5, processes=8, memory_mb=128)) in _MEMORY_ENDS[type(safe)]


@pytest.mark.parametrize("way", ["'/dev/shm'", "'/'", "'/tmp'", "'/run'", "'/dev'"])
def test_files_end_at_the_size_of_tmp(safe, way):
    fill = f"""
import os
import signal
written = 0
try:
    for number in range(100):
        with open(os.path.join({way}, str(number)), "wb") as file:
            for _ in range(64):
                written += file.write(bytes(1 << 20))
except OSError:
    pass
return written
"""
    assert tried(fill, safe, Limits(seconds=5, disk_mb=2)) <= 2 << 20


def test_empty_files_without_end_are_ended(safe):
    source = "def f():\n    n = 0\n    while True:\n        open(str(n), 'wb').close()\n        n += 1\n"
    outcome = call(source, "f", [()], Limits(seconds=20), layer=safe)
    assert outcome.status == "disk"
    assert "files" in outcome.message


def test_memory_outside_of_processes_cannot_be_taken(safe):
    hide = """
import os
import signal
kept = []
for number in range(20):
    kept.append(os.memfd_create(str(number)))
    for _ in range(64):
        os.write(kept[-1], bytes(1 << 20))
"""
    assert tried(hide, safe) in ("PermissionError", "OSError")
    shared = """
import ctypes
return ctypes.CDLL(None, use_errno=True).shmget(0, 1 << 28, 0o1600)
"""
    assert tried(shared, safe) == -1


def test_endless_output_is_cut(safe):
    result, _ = answer("def f():\n    print('x' * 50_000_000)\n    return 1", safe)
    assert result.value == 1
    assert len(result.printed) == 20_000
    result, outcome = answer("import os\ndef f():\n    while True: os.write(1, b'x' * 65536)", safe)
    assert outcome.status == "output"
    assert len(outcome.stdout) == QUICK.output_mb << 20
    assert run("while True: print('x' * 1000)", layer=safe, limits=QUICK).status == "output"


def test_a_giant_answer_is_refused(safe):
    result, outcome = answer("def f(): return 'x' * 40_000_000", safe, Limits(memory_mb=512))
    assert (result.status, outcome.status) == ("ended", "output")
    result, _ = answer("def f(): return 'x' * (1 << 30)", safe)
    assert not result.returned


@pytest.mark.parametrize("path", [__file__, "/etc/shadow", "/etc/passwd", "/proc/1/environ", "/proc/self/mem", "/sys"])
def test_files_of_this_machine_are_not_there(safe, path):
    body = f"import os\nreturn os.listdir({path!r}) if os.path.isdir({path!r}) else open({path!r}, 'rb').read(1)"
    assert tried(body, safe) in ("FileNotFoundError", "PermissionError")
    if isinstance(safe, Bubblewrap):
        assert tried(f"import os\nos.stat({path!r})", safe) == "FileNotFoundError"


def test_home_and_ledgers_are_not_there(safe, tmp_path):
    (tmp_path / "run.db").write_text("the ledger")
    for place in (tmp_path, Path.home(), Path.cwd(), Path(__file__).parent):
        found = tried(f"import os\nreturn [n for _, d, n in os.walk({str(place)!r}) for n in n][:3]", safe)
        assert "run.db" not in found
        assert "test_layers_attacks.py" not in found
    assert tried(f"return open({str(tmp_path / 'run.db')!r}).read()", safe) in ("FileNotFoundError", "PermissionError")


def test_installed_packages_are_not_there(safe):
    assert tried("import pip", safe) == "ModuleNotFoundError"
    assert tried("import tgsci", safe) == "ModuleNotFoundError"
    if isinstance(safe, Bubblewrap):
        look = "import os, sysconfig\nreturn os.listdir(sysconfig.get_path('stdlib') + '/site-packages')"
        assert tried(look, safe) in ([], "FileNotFoundError")


def test_nothing_can_be_written_outside(safe, tmp_path):
    for target in (tmp_path / "new", Path(__file__).with_name("new"), Path("/etc/new"), Path("/sandbox/new")):
        assert tried(f"open({str(target)!r}, 'w').write('x')", safe) in (
            "FileNotFoundError", "PermissionError", "OSError",
        )  # fmt: skip
        assert not target.exists()
    assert tried("import os\nopen(os.__file__, 'a').write('#')", safe) in ("OSError", "PermissionError")


def test_a_link_leads_nowhere(safe, tmp_path):
    (tmp_path / "secret").write_text("secret")
    link = f"import os\nos.symlink({str(tmp_path / 'secret')!r}, 'link')\nreturn open('link').read()"
    assert tried(link, safe) in ("FileNotFoundError", "PermissionError")
    assert tried("return open('/tmp/../../../etc/hostname').read()", safe) in ("FileNotFoundError", "PermissionError")


def test_the_environment_is_empty(safe, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    found = tried("import os\nreturn sorted(os.environ)", safe)
    assert set(found) <= {"PWD", "LC_CTYPE"}


def test_there_is_no_network(safe):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for body in (
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            "socket.create_connection(('1.1.1.1', 53), 1)",
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('1.1.1.1', 53))",
            "socket.getaddrinfo('example.com', 80)",
            "socket.socket(40, socket.SOCK_STREAM)",
            "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
        ):
            assert tried(f"import socket\n{body}\nreturn 'reached'", safe) in (
                "OSError", "PermissionError", "gaierror", "ConnectionRefusedError", "TimeoutError",
            )  # fmt: skip


def test_sockets_of_other_kinds_cannot_be_made(safe):
    if not isinstance(safe, Bubblewrap):
        pytest.skip("sandlock refuses connections, not these sockets")
    for kind in ("AF_NETLINK", "AF_PACKET", "AF_ALG"):
        body = f"import socket\nsocket.socket(socket.{kind}, socket.SOCK_RAW)"
        assert tried(body, safe) == "PermissionError"


def test_sockets_of_this_machine_are_not_there(safe, tmp_path):
    for address in (str(tmp_path / "s"), f"\0tgsci-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address)
            server.listen()
            body = f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({address!r})\nreturn 'reached'"
            assert tried(body, safe) in ("FileNotFoundError", "ConnectionRefusedError", "PermissionError")


def test_signals_reach_nobody_outside(safe):
    body = f"""
import os, signal
found = []
for pid in ({os.getpid()}, os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGUSR1)
        found.append(pid)
    except OSError:
        pass
return found
"""
    got = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: got.set())
    try:
        tried(body, safe)
        time.sleep(0.05)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not got.is_set()


def test_nobody_can_be_traced_or_seen(safe):
    trace = f"import ctypes\nreturn ctypes.CDLL(None).ptrace(16, {os.getpid()}, 0, 0)"
    assert tried(trace, safe) == -1
    seen = tried("import os\nreturn [n for n in os.listdir('/proc') if n.isdigit()]", safe)
    assert seen == "FileNotFoundError" or str(os.getpid()) not in seen


def test_limits_cannot_be_raised(safe):
    body = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))"
    assert tried(body, safe) in ("ValueError", "PermissionError")
    assert tried("import os\nos.setuid(0)", safe) in ("PermissionError", "OSError")
    assert tried("import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000)", safe) == -1
    assert tried("import ctypes\nreturn ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, 0)", safe) == -1


def test_an_early_exit_is_no_answer(safe):
    for leave in ("os._exit(0)", "os.abort()", "os.kill(os.getpid(), 9)", "os.closerange(0, 9999)"):
        outcome = call(f"import os\ndef f():\n    {leave}", "f", [(), ()], QUICK, layer=safe)
        assert outcome.status in ("exited", "timeout")
        assert not any(each.returned for each in outcome.calls)
    outcome = call("import os\nos._exit(0)\ndef f(): return 1", "f", [()], QUICK, layer=safe)
    assert (outcome.status, outcome.calls[0].status) == ("exited", "not run")
    for leave in ("import sys\nsys.exit(0)", "raise KeyboardInterrupt", "raise SystemExit(1)"):
        outcome = call(f"def f(): return 1\n{leave}", "f", [()], QUICK, layer=safe)
        assert (outcome.status, outcome.calls[0].status) == ("raised", "not run")


def test_whatever_it_writes_to_the_channel_is_at_most_its_own_answer(safe):
    forge = """
import os, sys
def f(x):
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
    for number in range(3, 9999):
        for text in (b"passed", b'{"passed": true}', bytes(8), b"\\xff" * 64):
            try:
                os.write(number, text)
            except OSError:
                pass
    return x
"""
    outcome = call(forge, "f", [(1,), (2,)], QUICK, layer=safe)
    assert outcome.status in ("exited", "output", "timeout")
    assert not any(each.returned for each in outcome.calls)


def test_a_patched_driver_answers_for_itself_alone(safe):
    patch = """
import sys
driver = sys.modules["inside.driver"]
values = sys.modules["inside.values"]
honest = driver.encode
driver.encode = lambda value: honest({"value": honest(42), "inside": -1.0, "line": "x", "printed": 7, "lines": [1]})
def f(x):
    return x
"""
    outcome = call(patch, "f", [(1,)], QUICK, layer=safe)
    assert [each.value for each in outcome.calls] in ([42], [None])
    assert outcome.calls[0].line is None
    assert not outcome.calls[0].inside < 0
    assert outcome.calls[0].lines == {}


def test_an_answer_before_its_question_ends_the_candidate(safe):
    """Else a candidate that guesses would look infinitely fast."""
    ahead = """
import gc, os, sys
def f(x):
    if x == 1:
        driver = sys.modules["inside.driver"]
        frame = sys._getframe()
        while "replies" not in frame.f_locals:
            frame = frame.f_back
        driver._write(frame.f_locals["replies"], {"value": driver.encode("guess")})
    return x
"""
    outcome = call(ahead, "f", [(1,), (2,), (3,)], QUICK, layer=safe)
    assert outcome.message == "it answered before it was asked"
    assert not any(each.returned for each in outcome.calls[1:])


LIAR = """
class Liar(int):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
    __repr__ = lambda self: "6"
    __int__ = __index__ = __add__ = __abs__ = lambda self, *other: 6
class Text(str):
    __eq__ = lambda self, other: True
    __hash__ = str.__hash__
    __str__ = lambda self: "right"
    encode = lambda self, *how: b"right"
class Many(list):
    __eq__ = lambda self, other: True
    __iter__ = lambda self: iter([1, 2])
    __len__ = lambda self: 2
class Anything:
    __eq__ = lambda self, other: True
    __reduce__ = lambda self: (exec, ("raise SystemExit",))
    __class__ = int
"""


def test_an_answer_that_lies_about_itself_is_taken_for_what_it_is(safe):
    outcome = call(
        LIAR + "def f(kind): return {'i': Liar(5), 's': Text('wrong'), 'a': Anything()}[kind]",
        "f", [("i",), ("s",), ("a",)], QUICK, layer=safe,
    )  # fmt: skip
    number, text, other = (each.value for each in outcome.calls)
    assert (type(number), number) == (int, 5)
    assert (type(text), text) == (str, "wrong")
    assert other != 6
    assert not other == other  # noqa: SIM201 it equals nothing


def test_a_pickle_is_bytes(safe):
    source = (
        "import pickle\nclass P:\n    def __reduce__(self): return print, ('x',)\ndef f(): return pickle.dumps(P())"
    )
    result, _ = answer(source, safe)
    assert type(result.value) is bytes


def test_grandchildren_are_gone_afterwards(safe):
    word = f"tgsci-{os.getpid()}-{time.monotonic_ns()}"
    leave = f"""
import os, sys, time
def f():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv({os.path.realpath(os.sys.executable)!r}, ["python", "-c", "import time; time.sleep(60)", {word!r}])
        os._exit(0)
    time.sleep(0.2)
    return 1
"""
    outcome = call(leave, "f", [()], Limits(seconds=3, processes=8), layer=safe)
    assert outcome.calls[0].value == 1
    assert eventually(lambda: not processes_with(word.encode()), 2)


RUN_AND_WAIT = """
import sys
sys.path += {path!r}
from tgsci_language.sandbox.layers import candidates
from tgsci_language.sandbox.calls import call
from tgsci_language.sandbox.limits import Limits
call({source!r}, "f", [()], Limits(seconds=60, processes=8), layer=dict(candidates())[{layer!r}])
"""


def test_a_candidate_does_not_outlive_a_run_that_is_killed(safe, request):
    word = f"tgsci-killed-{os.getpid()}-{time.monotonic_ns()}"
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    source = (
        f"import os\ndef f():\n    for _ in range(2):\n        if os.fork() == 0:\n            os.setsid()\n"
        f"            os.execv({python!r}, ['python', '-c', 'import time; time.sleep(60)', {word!r}])\n"
        "    while True: pass"
    )
    code = RUN_AND_WAIT.format(path=sys.path, source=source, layer=request.node.callspec.params["safe"])
    with subprocess.Popen([sys.executable, "-c", code]) as run:
        assert eventually(lambda: len(processes_with(word.encode())) >= 2)
        run.kill()
    assert eventually(lambda: not processes_with(word.encode()))


def eventually(what, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_what_never_ends_is_ended(safe):
    quick = Limits(seconds=0.15, total_seconds=10)
    for body in (
        "while True: pass",
        "import time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException: pass",
        "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
        "return 10 ** 10 ** 9",
        "import sys\nreturn sys.stdin.read() or 'nothing'",
        "import os\nreturn os.read(0, 10) or 'nothing'",
    ):
        started = time.monotonic()
        assert tried(body, safe, quick) in ("timeout", "nothing", "MemoryError")
        assert time.monotonic() - started < 30
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nreturn 1"
    started = time.monotonic()
    assert tried(threads, safe, quick) == 1
    assert time.monotonic() - started < 15


@pytest.mark.slow
def test_processor_time_has_a_limit(safe):
    burn = "def f():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    outcome = call(burn, "f", [()], Limits(seconds=20, total_seconds=20, cpu_seconds=1), layer=safe)
    assert outcome.status == "timeout" if isinstance(safe, Bubblewrap) else outcome.status in ("timeout", "exited")
    assert outcome.seconds < 30


def test_odd_values_and_exceptions_cost_one_call(safe):
    odd = """
import sys
class Bad(Exception):
    def __str__(self): raise ValueError
class Slow(Exception):
    def __str__(self):
        while True: pass
class Shown:
    def __repr__(self): return 1 / 0
def nested(n):
    found = []
    for _ in range(n): found = [found]
    return found
def f(what):
    cycle = []
    cycle.append(cycle)
    if what == "cycle": return cycle
    if what == "deep": return nested(100_000)
    if what == "bad": raise Bad
    if what == "big": return 10 ** 20_000
    if what == "nan": return float("nan")
    if what == "repr": return Shown()
    if what == "recursion": return f(what)
    if what == "trace":
        sys.settrace(lambda *a: 1 / 0)
        return 1
    if what == "surrogate": return "\\udc80"
    if what == "slow": raise Slow
    return 1
"""
    asked = ["cycle", "deep", "bad", "big", "nan", "repr", "recursion", "surrogate", "fine", "trace"]
    outcome = call(odd, "f", [(each,) for each in asked], QUICK, layer=safe)
    found = dict(zip(asked, outcome.calls, strict=True))
    assert found["cycle"].error == found["deep"].error == "BadValue"
    assert found["bad"].error == "Bad"
    assert found["big"].value == 10**20_000
    assert found["nan"].value != found["nan"].value
    assert "ZeroDivisionError" in repr(found["repr"].value)
    assert found["recursion"].error == "RecursionError"
    assert found["surrogate"].value == "\udc80"
    assert found["fine"].value == 1
    slow = call(odd, "f", [("slow",), ("fine",)], Limits(seconds=0.3), layer=safe)
    assert [each.error or each.value for each in slow.calls] == ["Slow", 1]


def test_a_deep_recursion_without_a_limit_ends_that_process_alone(safe):
    crash = """
import sys
sys.setrecursionlimit(10**9)
class Deep:
    def __repr__(self): return repr(self)
def f(): return repr(Deep())
"""
    outcome = call(crash, "f", [()], QUICK, layer=safe)
    assert not outcome.calls[0].returned


def test_many_equal_hashes_are_refused_quickly(safe):
    source = "def f(): return {n * (2**61 - 1): 0 for n in range(3000)}"
    started = time.monotonic()
    result, _ = answer(source, safe)
    assert result.error == "BadValue"
    assert time.monotonic() - started < 15


def test_arguments_reach_a_function_by_name_as_well(safe):
    outcome = call("def f(a, *, b): return (a, b)", "f", [Call((1,), {"b": {2: (3,)}})], QUICK, layer=safe)
    assert outcome.calls[0].value == (1, {2: (3,)})
