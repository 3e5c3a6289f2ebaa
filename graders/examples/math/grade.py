r"""The final answer of a mathematical solution, compared by value: 1.0 or 0.0.

The item has `answer`, a number or a text such as `\frac{3}{4}`. The solution's last `\boxed{...}`
counts, or else its last `Answer: ...`; earlier ones do not, so that listing guesses is one guess.
Seen as equal: 1/2, 0.5, \frac{1}{2} and 50\%; 1,200 and 1200; `x = 3` and 3; `( 1, 2 )` and (1,2).
Not seen: algebra (x + 1 and 1 + x), roots, mixed numbers, units, the order of a set.
"""

import re
from fractions import Fraction

LONGEST = 200  # characters of an answer
STYLE = re.compile(r"\\(?:left|right|displaystyle|[,;:!])|[$\s]|\\(?=[%$])")
FRACTION = re.compile(r"\\[dt]?frac(?:\{([^{}]+)\}\{([^{}]+)\}|(\d)(\d))")
TEXT = re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}")
NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:/(\d+(?:\.\d+)?))?(%?)")


def grade(sample, item):
    """Whether the solution's final answer is the right one."""
    wanted = item["answer"]
    if isinstance(wanted, bool) or not isinstance(wanted, (str, int, float)):
        raise TypeError(f"the row's answer is {wanted!r}, and must be a number or a text")
    right = value(wanted) if isinstance(wanted, str) else Fraction(str(wanted))
    if right == "":
        raise ValueError(f"the row's answer is {wanted!r}, of which nothing is left to compare")
    found = final_answer(sample.get("output_text") or "")
    return float(found is not None and value(found) == right)


def final_answer(text):
    """What stands in the last box, or behind the last `Answer:`; None where neither is."""
    _, box, rest = text.rpartition(r"\boxed{")
    if box:
        depth = 1
        for end, character in enumerate(rest[:LONGEST]):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if depth == 0:
                return rest[:end]
        return None  # a box that does not close, or holds a whole solution
    marked = re.findall(
        r"^[ \t]*(?:final )?answer:(.*)$", text[-5000:], re.IGNORECASE | re.MULTILINE
    )
    return marked[-1].strip().rstrip(".") if marked and len(marked[-1]) <= LONGEST else None


def value(answer):
    """A number as a fraction, anything else as a text in one way of writing it."""
    plain = STYLE.sub("", TEXT.sub(r"\1", answer))
    plain = FRACTION.sub(lambda m: f"{m[1] or m[3]}/{m[2] or m[4]}", plain)
    plain = re.sub(r"^[A-Za-z]=", "", plain)
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    number = NUMBER.fullmatch(plain)
    if not number or (number[2] and not Fraction(number[2])):
        return plain.casefold()
    return Fraction(number[1]) / Fraction(number[2] or 1) / (100 if number[3] else 1)
