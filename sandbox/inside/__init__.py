"""What runs on the other side of the border: mother, zygote, child.

These modules are loaded by the sandboxed interpreter, before anything hostile. They import the
standard library, `sandbox.layers`, `sandbox.linux` and `sandbox.wire`, and nothing else: each
module more is memory that every fork maps again. Hence no `typing` at run time either (half a
megabyte): annotations are text, and `TYPE_CHECKING = False` is what type checkers take for true.
"""
