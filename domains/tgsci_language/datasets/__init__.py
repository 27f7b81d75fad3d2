"""Examples and questions: read from published files, split, or made from a seed.

example.py     a question with its reference answer, and sets of them
readers.py     BIG-Bench Hard, GSM8K, MMLU, and any CSV or JSON Lines with named columns
split.py       train, validation and test, which must have nothing in common
makers.py      sets of our own from a seed; their words are in words.tsv
code_sets.py   HumanEval, MBPP, both with EvalPlus's tests, and LeetCodeDataset, as the tasks of code_tasks.py
assertions.py  published assert statements as calls and what is to be true of their answers
mbpp_types.py  the types that EvalPlus's inputs of MBPP lost in JSON
exam.py        which tests of a published task a solution passes
pass_at_k.py   how likely at least one of k samples is right
"""
