"""How right an answer is: exact text, a number with its unit, a choice, a pattern, a function, a judge.

scorer.py      Scorer and Score: how right a reply is, and what went wrong
texts.py       the exact string; a regular expression, which matcher.py runs with a limit of time
numbers.py     the last integer as TextGrad reads it; a number with tolerance and unit
choice.py      the letter of a choice
function.py    a Python function of the user's own, in the sandbox
judge.py       a model that says right or wrong
build.py       the scorer that a task names, or that fits its answers
intervals.py   how sure an accuracy is, and the difference of two on the same questions
"""
