"""Prompts: the error on a data set as the loss.

value.py      an instruction, or one a step, with the examples that the student is shown
student.py    the model that follows it: all questions at the same time, each reply scored
page.py       what went wrong, grouped, beside what went right: the gradient
loss.py       the error on validation, and the race in which what is behind is dropped early
insight.py    what a search is told: gained and lost, what limits
final.py      the first and the best on test, once, with the interval of their difference
export.py     the best instruction as a file
plan.py       what a search would ask and cost
sections.py   what a report adds
job.py        the table of a task file, typed
problem.py    the problem, from a task file or from objects
"""
