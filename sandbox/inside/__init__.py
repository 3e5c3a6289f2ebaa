"""What runs on the other side of the border: mother, zygote, child.

These modules are loaded by the sandboxed interpreter, before anything hostile. They import the
standard library, `sandbox.layers`, `sandbox.linux` and `sandbox.wire`, and nothing else: each
module more is a page table that every row copies.
"""
