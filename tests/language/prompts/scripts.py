"""A student whose accuracy really depends on its instruction, and a proposer that writes better and worse ones."""

from __future__ import annotations

import re
from hashlib import sha256

from tgsci.engines.scripted import Scripted
from tgsci_language.datasets.makers import make_dataset
from tgsci_language.datasets.split import split_dataset

#: Instructions from bad to good, with the share of questions that the student has right by each, about, %.
START = "Answer the question."
STATED = "End with 'Answer: N'."
SLOW = "Count one by one. End with 'Answer: N'."
BEST = "Count one by one, then check. End with 'Answer: N'."
WORSE = "Hurry. End with 'Answer: N'."


def split(sizes=(20, 40, 40), kind="object-counting", seed=0):
    return split_dataset(make_dataset(kind, int(sum(sizes)), seed), sizes)


def student(sets, **more):
    """A student with more luck the better its instruction is; what it knows of a question is the question's own."""
    answers = {example.prompt: example.answer for dataset in sets.sets.values() for example in dataset}

    def answer(prompt, system):
        skill = 35 + 30 * ("one by one" in system) + 20 * ("check" in system) - 20 * ("Hurry" in system)
        skill += 10 * system.count("Question:")  # examples help
        luck = int(sha256(prompt.encode()).hexdigest(), 16) % 100
        number = int(answers[prompt.partition("\n\nThe result of step")[0]])
        found = number if luck < skill else number + 1 if luck % 2 else number + 5
        return f"I count.\nAnswer: {found}" if "Answer:" in system else f"There are {found}, 100 % sure."

    return Scripted(answer, name="student", **more)


def proposer(*values, name="proposer"):
    """A proposer that offers these values in turn, in whatever tags it is asked for."""
    offered = iter(())

    def propose(prompt, system):
        nonlocal offered
        tags = dict.fromkeys(re.findall(r"<((?:[A-Z]+_?)+?_?\d*)>(?:\.\.\.|the whole new value)", prompt[-6000:]))
        reply = []
        for tag in (tag for tag in tags if not tag.startswith("REASON")):
            value = next(offered, None)
            if value is None:
                offered = iter(values)
                value = next(offered)
            number = re.search(r"_?\d*$", tag)[0]
            reply.append(f"<REASON{number}>what the page says</REASON{number}>\n<{tag}>{value}</{tag}>")
        return "\n".join(reply)

    return Scripted(propose, name=name)
