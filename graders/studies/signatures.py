"""How members became a score, read back from the signature of a result that has them.

A multi signs `multi|FORMULA|members|pass:X` and an Evals body `criteria|members`, after the
profile of the run. With another formula in it, this is the signature of the multi that would have
given the new scores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Final

from graders.grades import signed
from graders.profile import MemberFailure

# A formula has no `|` (see its grammar), so that a multi's ends where its members begin.
_COMBINED: Final = (
    r"(?P<profile>(?:profile:.*?\|)??)"
    r"(?:multi\|[^|]*\|(?P<zero>member_failure:zero\|)?|(?P<criteria>criteria\|))"
    r"(?P<members>{first_key}.*)"
)
_PASS: Final = re.compile(r"\|pass:(?P<threshold>[-+.e0-9]+)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """What a signature says of a score that was made of members'.

    Attributes:
        profile: The profile's part, with its `|`; empty where there is none.
        member_failure: What a failed member does.
        members: The signatures of the members, by key.
        threshold: From which score on a row passes; None where nothing says so.
    """

    profile: str
    member_failure: MemberFailure
    members: str
    threshold: float | None

    def sign(self, formula: str, threshold: float | None) -> str:
        """The signature of a multi with these members, and another formula and threshold."""
        zero = "" if self.member_failure == "fail" else f"member_failure:{self.member_failure}|"
        return self.profile + signed(f"multi|{formula}|{zero}{self.members}", threshold)


def read_signature(signature: str, first_key: str, *, has_threshold: bool) -> Combination | None:
    """Take the signature of a multi or an Evals body apart; None for any other.

    Args:
        signature: That of a result.
        first_key: Its first part's key, where the members begin; may be empty.
        has_threshold: Whether the result says if it passed. Only then a threshold at the end is
            the multi's own, and not its last member's.

    Example:
        >>> read = read_signature("multi|a + b|a=x|pass:1;b=y|pass:0.5", "a", has_threshold=True)
        >>> read.members, read.threshold
        ('a=x|pass:1;b=y', 0.5)
        >>> read.sign("a * b", 0.25)
        'multi|a * b|a=x|pass:1;b=y|pass:0.25'
    """
    pattern = _COMBINED.replace("{first_key}", re.escape(first_key))
    found = re.fullmatch(pattern, signature, re.DOTALL)
    if found is None:
        return None
    members, threshold = found["members"], None
    if has_threshold and not found["criteria"]:  # criteria pass each by its own
        own = _PASS.search(members)
        threshold = None if own is None else _number(own["threshold"])
        if own is None or threshold is None:
            return None
        members = members[: own.start()]
    return Combination(
        profile=found["profile"],
        member_failure="zero" if found["zero"] else "fail",
        members=members,
        threshold=threshold,
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
