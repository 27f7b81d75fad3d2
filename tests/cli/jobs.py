"""Job files of the outside domain."""

BARE = """
domain = "polynomial"
[polynomial]
target = 3.0
[budget]
evaluations = 20
"""
JOB = f"{BARE}[run]\nworkers = 0\n"
