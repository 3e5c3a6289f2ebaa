"""What stands between a row's code and the machine: one isolation mechanism a file.

Each module says how its layer is put on; `sandbox.doctor` proves that it holds. They run inside
the sandboxed interpreter, so they import the standard library and `sandbox.linux` only.
"""
