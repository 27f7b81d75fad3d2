"""What runs inside the sandbox: the standard library alone, nothing of tgsci.

What is where:
  driver.py   starts there: takes the limits, loads the candidate, answers call by call
  values.py   the strict format in which arguments go in and answers come out
  objects.py  objects of a task's own classes in that format
"""
