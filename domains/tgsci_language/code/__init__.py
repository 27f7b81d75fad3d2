"""Code: a test runner as the loss.

What is where:
  task.py        a task as people write it; tests.py: its tests, which are data and never run as code
  source.py      a solution: its canonical form, its signature, the kind that it is of
  runner.py      a solution run on tests in the sandbox; compare.py: what came back beside what must
  goal.py        what is minimised once the tests pass: run time, memory, a figure; tracer.py: time by line
  prepare.py     the task itself tested, before anything is asked
  loss.py        the loss; page.py: the page of a run; verdict.py: what became of one test
  hidden.py      the hidden tests, at the end of a run
  problem.py     the problem as a search sees it; views.py: contrasts, sections of the report, the best as a file
  published.py   a task of a published set, sampled and improved; scoreboard.py: pass@k of a whole set
"""
