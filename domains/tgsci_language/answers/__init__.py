"""Questions: refinement at test time beside plain sampling at the same number of calls.

questions.py   the questions of a file, with their choices shuffled and their scorers
protocol.py    draft, criticism, refinement; and the samples
vote.py        what most replies say
loss.py        one question asked both ways, under the run's record
comparison.py  which way won, and how sure that is
picture.py     accuracy against calls, drawn
compare.py     both ways from Python; what that would ask and cost
problem.py     a file of questions as a problem for the core
"""
