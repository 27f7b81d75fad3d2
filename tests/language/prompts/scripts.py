"""A student whose accuracy really depends on its instruction, and a proposer that writes better and worse ones."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from hashlib import sha256

from tgsci.engine import Engine
from tgsci_language.datasets.makers import make_dataset
from tgsci_language.datasets.split import split_dataset

#: Instructions from bad to good.
START = "Answer the question."
WORSE = "Hurry. End with 'Answer: N'."
STATED = "End with 'Answer: N'."
SLOW = "Count one by one. End with 'Answer: N'."
BEST = "Count one by one, then check. End with 'Answer: N'."


def split(sizes=(20, 40, 40), kind="object-counting", seed=0):
    return split_dataset(make_dataset(kind, int(sum(sizes)), seed), sizes)


class _Counting(Engine):
    """Counts its calls; one that takes the place of another in a resumed run goes on where that stopped."""

    def __init__(self, name):
        self.name = name
        self.calls = []
        self._asked = 0
        self._lock = threading.Lock()

    @property
    def identity(self):
        return self.name

    def count(self, prompt, system):
        with self._lock:
            self.calls.append((prompt, system))
            self._asked += 1
            return self._asked

    def skip(self, calls):
        self._asked = max(self._asked, calls)


class Student(_Counting):
    """Has more luck the better its instruction is; without "Answer:" in it, it ends with another number.

    Args:
        sets: The questions that it knows.
        log: A file that gets a line for each answer.
        fall_at: The process is killed when so many questions were asked.
        seconds: How long an answer takes, s.
    """

    def __init__(self, sets, log=None, fall_at=None, seconds=0.0):
        super().__init__("student")
        self.answers = {example.prompt: int(example.answer) for dataset in sets.sets.values() for example in dataset}
        self.log, self.fall_at, self.seconds = log, fall_at, seconds

    def complete(self, prompt, system="", images=()):
        if self.count(prompt, system) == self.fall_at:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        if self.log is not None:
            with open(self.log, "a") as file:
                file.write(f"{sha256(f'{system}|{prompt}'.encode()).hexdigest()}\n")
        skill = 35 + 30 * ("one by one" in system) + 20 * ("check" in system) - 20 * ("Hurry" in system)
        skill += 10 * system.count("Question:")  # examples help
        luck = int(sha256(prompt.encode()).hexdigest(), 16) % 100
        number = self.answers[prompt.partition("\n\nThe result of step")[0]]
        found = number if luck < skill else number + 1 if luck % 2 else number + 5
        return f"I count.\nAnswer: {found}" if "Answer:" in system else f"There are {found}, 100 % sure."


class Proposer(_Counting):
    """Offers these values in turn, as many as it is asked for, in the form of a reply from the desk.

    Args:
        values: What it offers.
    """

    def __init__(self, *values):
        super().__init__("proposer")
        self.values = values

    def complete(self, prompt, system="", images=()):
        wanted = int(re.findall(r"Give (\d+) different idea|Give (one) new idea|$", prompt)[0][0] or 1)
        first = (self.count(prompt, system) - 1) * wanted
        offered = [self.values[position % len(self.values)] for position in range(first, first + wanted)]
        return "\n\n".join(
            f"IDEA {i} | FROM 0 | ROLE refine | EXPECT {10 + i}\nREASON: what the page says\n<VALUE>{value}</VALUE>"
            for i, value in enumerate(offered, 1)
        )
