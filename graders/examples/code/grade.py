"""A program that reads standard input and prints: 1.0 if all tests pass, else half of their share.

The item has `tests`, a list of {"stdin": "...", "stdout": "..."}. The last fenced block of the text
counts, or the whole text where there is none. Line ends and white space at the end do not matter.

The program runs in a second sandbox, by sandbox.run_code, and never sees what is expected: code
that grade() itself executes could set its own score. The hosted service has no such thing, and
there every row fails with the sentence below, rather than get a score that the program chose.
"""

import re

try:
    import sandbox
except ImportError:
    sandbox = None

LONGEST = 100_000  # characters of a program
SECONDS, MEMORY = 5, 256 << 20  # for one test
LEFT = ("\nSystemExit", "\nSystemExit: None", "\nSystemExit: 0")
FENCE = re.compile(r"^```[^\n`]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def grade(sample, item):
    """Half the share of tests that pass, and all of it when all do."""
    tests = item["tests"]
    if not isinstance(tests, list) or not tests:
        raise TypeError(f"the row's tests are {tests!r}, and must be a list that is not empty")
    if sandbox is None:
        raise RuntimeError("no sandbox.run_code here: this service cannot run programs safely")
    expected = [(test["stdin"], trimmed(test["stdout"])) for test in tests]
    code = program(sample.get("output_text") or "")
    if not code or len(code) > LONGEST:
        return 0.0
    passed = 0
    for stdin, stdout in expected:
        ran = sandbox.run_code(code, stdin, timeout=SECONDS, memory=MEMORY)
        if ran["status"] == "broken":
            raise RuntimeError(f"the sandbox failed, and not the program: {ran['stderr']}")
        if ran["status"] == "timed_out":
            break  # the rest would take as long, and the row has two minutes
        passed += ended_well(ran) and trimmed(ran["stdout"]) == stdout
    return 1.0 if passed == len(tests) else 0.5 * passed / len(tests)


def ended_well(ran):
    """Whether a program came to its end, or left by `sys.exit()`."""
    return ran["status"] == "ok" or ran["stderr"].rstrip().endswith(LEFT)


def program(text):
    """The code in a text."""
    blocks = FENCE.findall(text)
    return (blocks[-1] if blocks else text).strip("\n")


def trimmed(text):
    """A text without white space at the end of its lines, and without empty lines at its end."""
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip("\n")
