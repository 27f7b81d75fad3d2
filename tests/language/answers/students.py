"""Scripted students of arithmetic whose answers depend on what they are asked, and files of questions for them."""

import csv
import random
import re

from tgsci.engines.scripted import Scripted

LETTERS = "ABCD"


def write_questions(path, n=12, header=("id", "question", "A", "B", "C", "D", "answer")):
    """Write sums with four choices; the right one stands at A."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i in range(n):
            total = 11 * (i + 1) + 3
            row = [f"q{i}", f"What is {11 * (i + 1)} + 3?", *(total + d for d in (0, 1, 2, 10)), "A"]
            writer.writerow(row[: len(header)])
    return path


def truth(prompt):
    """The letter of the right choice of a prompt, and of a wrong one."""
    first, second = re.search(r"What is (\d+) \+ (\d+)", prompt).groups()
    right = str(int(first) + int(second))
    letters = dict(re.findall(r"^([A-D])\) (\d+)$", prompt, re.MULTILINE))
    return next(k for k, v in letters.items() if v == right), next(k for k, v in letters.items() if v != right)


class Student(Scripted):
    """Answers sums.

    Args:
        draft: How often a draft or a sample is right, as a share; which ones is told by the prompt and how often it was
            asked before.
        refined: Whether what it rewrites is right; None leaves the answer as it is.
    """

    def __init__(self, draft, refined, seconds=0.0, log=None):
        super().__init__(self._answer, seconds=seconds, name="student")
        self.draft, self.refined, self.log = draft, refined, log
        self._times = {}

    @property
    def identity(self):
        return f"Student({self.draft}, {self.refined})"

    def skip(self, calls):
        """Which reply comes is told by the question and its occurrence, not by how many came before."""

    def _answer(self, prompt, system):
        with self._lock:
            times = self._times[prompt] = self._times.get(prompt, -1) + 1
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{len(prompt)} {times}\n")
        if "<IMPROVED_VARIABLE>" in prompt:
            letter = truth(prompt)[0 if self.refined else 1]
            return f"<IMPROVED_VARIABLE>\nI looked again ({times}).\nAnswer: {letter}\n</IMPROVED_VARIABLE>"
        if "criticise" in system:
            return f"The sum may be wrong, see the carry ({times})."
        chance = random.Random(f"{prompt}:{times}").random()
        return f"I add the digits ({times}).\nAnswer: {truth(prompt)[0 if chance < self.draft else 1]}"
