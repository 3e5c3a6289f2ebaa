"""A number in a text, within a tolerance: 1.0, 0.5 within ten times of it, else 0.0.

The item has `answer` (a number), and may have `tolerance` (a share of the answer, absolute for an
answer of 0; default 0.01) and `unit`. What counts is the one number behind the last `Answer:`, or
of the whole text where there is none. Several numbers are no answer, nor is a list of guesses.
Read: 1,234.5 and 1 234.5, 1.2e3, -5, 12%, and the units below, which are converted; without one, a
number has the item's. Not read: decimal commas (1,5), numbers in words, other units.
"""

import math
import re

UNITS = {
    "": ("ratio", 1), "%": ("ratio", 0.01), "percent": ("ratio", 0.01),
    "mm": ("length", 0.001), "cm": ("length", 0.01), "m": ("length", 1), "km": ("length", 1000),
    "mg": ("mass", 1e-6), "g": ("mass", 0.001), "kg": ("mass", 1), "t": ("mass", 1000),
    "s": ("time", 1), "min": ("time", 60), "h": ("time", 3600),
    "seconds": ("time", 1), "minutes": ("time", 60), "hours": ("time", 3600),
}  # fmt: skip
GROUPED = r"\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?!\d)"
NUMBER = re.compile(
    rf"(?<![\w.])([-+\u2212]?)({GROUPED}|\d{{1,30}}(?!\d))?(\.\d{{1,30}}(?!\d))?"
    r"(e[-+]?\d{1,3}(?!\d))?(?<=\d)[ \u00a0]?(%|[a-z]+\b)?",
    re.IGNORECASE,
)


def grade(sample, item):
    """How near the number in the text is to the item's."""
    wanted, tolerance = item["answer"], item.get("tolerance", 0.01)
    unit = item.get("unit", "")
    for number in (wanted, tolerance):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise TypeError(f"the row has {number!r}, and must have a number")
    if not math.isfinite(wanted) or not 0 <= tolerance < 1:
        raise ValueError(f"the row has the answer {wanted!r} within {tolerance!r}, of 0 to 1")
    if unit not in UNITS:
        raise ValueError(f"the row's unit is {unit!r}, and known are {', '.join(UNITS)}")
    found = only_number(sample.get("output_text") or "", unit)
    if found is None or not math.isfinite(found):
        return 0.0
    error = abs(found - wanted) / (abs(wanted) or 1)
    room = tolerance * (1 + 1e-9)  # 0.01 and 1.01 - 1 are not the same in binary
    return 1.0 if error <= room else 0.5 if error <= 10 * room else 0.0


def only_number(text, unit):
    """The number that counts, in the item's unit; None where there is none, or of another kind."""
    marked = re.findall(r"\banswer:(.*)", text, re.IGNORECASE)
    numbers = NUMBER.findall(marked[-1] if marked else text)
    if len(numbers) != 1:
        return None
    sign, whole, decimals, exponent, word = numbers[0]
    number = float(re.sub(r"\D", "", whole) + decimals + exponent)
    number = -number if sign in {"-", "\u2212"} else number
    wanted_kind, wanted_size = UNITS[unit]
    kind, size = UNITS.get((word or unit).lower(), UNITS[unit])
    return number * size / wanted_size if kind == wanted_kind else None
