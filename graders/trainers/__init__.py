"""Rewards for trainers: one grader behind the call that each of them makes.

Nothing here imports a trainer. `grading` grades in whatever process, thread or event loop it is
called from, `rows` reads what trainers hand over, `failures` says what they get for a row without
a score, and `queries` is what OpenRLHF asks here and over HTTP; the other modules are one trainer
each.
"""
