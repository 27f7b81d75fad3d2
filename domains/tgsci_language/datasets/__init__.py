"""Examples and questions: read from published files, split, or made from a seed.

example.py   a question with its reference answer, and sets of them
readers.py   BIG-Bench Hard, GSM8K, MMLU, and any CSV or JSON Lines with named columns
split.py     train, validation and test, which must have nothing in common
code_sets.py  HumanEval, MBPP, EvalPlus, LeetCodeDataset as tasks (code_tasks.py, mbpp_types.py)
assertions.py published assert statements as calls and what is to be true of their answers
exam.py       which tests a solution passes;  pass_at_k.py: how likely one of k samples is right
makers.py    sets of our own from a seed; their words are in words.tsv
"""
