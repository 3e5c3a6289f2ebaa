"""The hosted API on your own machine: HTTP routes over what the other packages do.

| where | what is there |
| --- | --- |
| `app`, `routes` | the application; every path, and who answers it |
| `openapi`, `schemas` | the same, described for tools |
| `settings`, `shared` | what a server is set up with; what its requests share |
| `transport/` | HTTP: who comes in and how much at once, bodies, answers, signals |
| `gradings` | run, validate, batches, the endpoint contract |
| `checking`, `recent` | a request's grader: checked and compiled, and kept for the next one |
| `processes`, `aside` | processes for what may compute long |
| `files`, `storage`, `labels` | uploads; objects by id, pages of them, their room on the disk |
| `evals/` | evals, runs of them, output items |
| `jobs/` | dry runs of fine-tuning jobs |

A request goes through the gate of `transport`, and to one function of `routes`, which gets all
else from `shared`. Nothing here decides a score: that is `graders.hosted` and the engine.
"""
