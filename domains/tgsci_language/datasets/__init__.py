"""Examples and questions: read from published files, split, or made from a seed.

example.py   a question with its reference answer, and sets of them
readers.py   BIG-Bench Hard, GSM8K, MMLU, and any CSV or JSON Lines with named columns
split.py     train, validation and test, which must have nothing in common
makers.py    sets of our own from a seed; their words are in words.tsv
"""
