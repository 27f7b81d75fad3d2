"""Where code that a model wrote runs: no network, no files, no environment, little time and memory.

What is where:
  calls.py    call() a candidate's function, or run() it as a program: begin here
  limits.py   what a candidate may use
  layers.py   bubblewrap, or resource limits alone: what is here, what it lets a candidate see
  seccomp.py  the system calls that bubblewrap refuses
  process.py  one candidate's process from outside: requests, replies, the clock
  inside/     what runs in the sandbox: the driver, and the format of arguments and answers
"""
