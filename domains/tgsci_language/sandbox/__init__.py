"""Where code that a model wrote runs: no network, no files, no environment, little time and memory.

What is where:
  calls.py       call() a candidate's function, or run() it as a program: begin here
  scripts.py     check() a candidate by a published test script, which runs apart from it
  limits.py      what a candidate may use
  layers.py      best(): which layer is taken here; layer.py: what a layer is
  bubblewrap.py  new namespaces with nothing in them but Python; seccomp.py: the system calls that it refuses
  sandlock.py    Landlock, where user namespaces are forbidden; launcher.py: ends what is left there
  view.py        what a candidate sees of this machine
  selftest.py    what the layer really keeps in, by trying: the lines of `tgsci doctor`
  process.py     one candidate's process from outside: requests, replies, the clock
  inside/        what runs in the sandbox: the driver, and the format of arguments and answers
"""
