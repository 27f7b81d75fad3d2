"""Threads: the bound that nested calls share, and coroutines from code that is not asynchronous."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tgsci.basics.threads import Gate, awaited, run_all


def test_a_gate_lets_in_as_many_as_it_is_told():
    gate, now, most, lock = Gate(), [0], [0], threading.Lock()

    def work():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    threads = [threading.Thread(target=gate.run, args=(3, work)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most[0], now[0]) == (3, 0)


def test_who_is_inside_passes_again_and_so_do_the_threads_that_it_starts_by_run_all():
    gate = Gate()

    def inside():
        return run_all(lambda i: gate.run(1, lambda: i), range(4), 4)

    assert gate.run(1, lambda: gate.run(1, inside)) == [0, 1, 2, 3]
    assert gate.run(1, int) == 0, "and all of them left"


def test_a_gate_is_left_where_something_is_raised():
    gate = Gate()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            gate.run(1, lambda: 1 / 0)
    assert gate.run(1, int) == 0


def test_waiting_at_a_gate_keeps_nobody_from_a_seat():
    """Two seats, both taken by items that wait for the gate; whoever holds the gate needs a seat for its own items."""
    gate = Gate()

    def inside(i):
        return sum(run_all(lambda j: i * j, range(4), 2))

    done = []
    runner = threading.Thread(
        target=lambda: done.extend(run_all(lambda i: gate.run(1, inside, i), range(6), 2)), daemon=True
    )
    runner.start()
    runner.join(20)
    assert done == [0, 6, 12, 18, 24, 30]


def test_one_item_is_done_in_the_callers_own_thread():
    assert run_all(lambda i: threading.get_ident(), [0], 8) == [threading.get_ident()]
    assert run_all(lambda i: threading.get_ident(), range(3), 1) == [threading.get_ident()] * 3


def test_what_is_no_awaitable_is_given_back():
    thing = object()
    assert awaited(thing) is thing


def test_coroutines_share_one_loop_so_that_clients_keep_their_connections():
    async def loop():
        return asyncio.get_running_loop()

    assert awaited(loop()) is awaited(loop())
    assert run_all(lambda i: awaited(loop()), range(4), 4) == [awaited(loop())] * 4


def test_a_forked_process_has_a_loop_of_its_own(script):
    code = """
        import asyncio, os, tgsci
        async def model(prompt):
            await asyncio.sleep(0)
            return prompt
        engine = tgsci.as_engine(model)
        print(engine("parent"), flush=True)
        if os.fork() == 0:
            print(engine("child"), flush=True)
            os._exit(0)
        os.wait()
    """
    assert script(code).split() == ["parent", "child"]
