"""JSON against an expected object: the share of keys that are right, extra ones counted as wrong.

The item has `expected`, an object. The answer must be one JSON object and nothing else: no fence,
no words around it, no key twice, no NaN; else it gets 0.0. A key is right if its value is the same:
1 and 1.0 are, 1 and true or "1" are not; objects in any order of keys, lists in theirs.
"""

import json


def grade(sample, item):
    """Right keys, of those that are expected or there."""
    expected = item["expected"]
    if not isinstance(expected, dict) or not expected:
        raise TypeError(f"the row's expected is {expected!r}, and must be an object with keys")
    # Not output_json: a key that stands twice cannot be seen in it.
    answer = strict_json(sample.get("output_text") or "")
    if not isinstance(answer, dict):
        return 0.0
    right = sum(key in answer and same(answer[key], value) for key, value in expected.items())
    return right / len(expected.keys() | answer.keys())


def strict_json(text):
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def unique(pairs):
    """An object, none of whose keys stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def refuse(word):
    """NaN and Infinity, which Python's reader takes and JSON has not."""
    raise ValueError(f"{word} is not JSON")


def same(found, wanted):
    """Whether two JSON values are the same; to Python, 1 is True."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return found.keys() == wanted.keys() and all(same(found[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    return found == wanted
