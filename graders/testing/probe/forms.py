"""The form that answers stand in: `Answer: ` before it, `}` after it, the keys of an object.

A grader that looks for an answer behind a mark gives everything else nothing, so that no attack in
another form says anything. Forms are taken from honest samples that have the reference in them;
which one the grader wants, the reference shows: in that form it scores best.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from graders.testing.probe.answers import holds

_MOST: Final = 2
"""Forms of a row besides the bare text; each costs a grading."""
_LONGEST: Final = 200
"""Characters around an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What stands around an answer.

    Attributes:
        before: The text before it.
        after: The text behind it.
        keys: Of an object that has the answer under each of them; none, and it is no object.
    """

    before: str = ""
    after: str = ""
    keys: tuple[str, ...] = ()

    def of(self, text: str) -> str:
        """A text in this form.

        Example:
            >>> Form(before="Answer: ").of("42"), Form(keys=("a", "b")).of("42")
            ('Answer: 42', '{"a": "42", "b": "42"}')
        """
        if self.keys:
            return json.dumps(dict.fromkeys(self.keys, text), ensure_ascii=False)
        return f"{self.before}{text}{self.after}"

    @property
    def is_bare(self) -> bool:
        """Whether it is the text and nothing else."""
        return self == BARE


BARE: Final = Form()


def forms_in(texts: Iterable[str], references: Sequence[str]) -> Iterator[Form]:
    r"""What stands around the last reference in each text: its line, and the next if that is all.

    Example:
        >>> [*forms_in(["So 6 * 7.\nAnswer: 42", "42", "41"], ["42"])]
        [Form(before='Answer: ', after='', keys=())]
    """
    for text in texts:
        found = [
            match
            for reference in references
            for match in re.finditer(rf"(?<!\w){re.escape(reference)}(?!\w)", text, re.IGNORECASE)
        ]
        if found:
            start, end = max(
                (match.span() for match in found), key=lambda span: (span[1], -span[0])
            )
            form = Form(before=_before(text[:start]), after=_after(text[end:]))
            size = len(form.before) + len(form.after)
            if not form.is_bare and size <= _LONGEST:
                yield form


def _before(text: str) -> str:
    *others, line = text.rsplit("\n", 2)
    return "\n".join([*others[-1:], line]) if others and not line.strip() else line


def _after(text: str) -> str:
    line, *others = text.split("\n", 2)
    return "\n".join([line, *others[:1]]) if others and not line.strip() else line


def forms_of(
    own: Sequence[Form], common: Counter[Form], references: Sequence[str]
) -> tuple[Form, ...]:
    """The forms to try on a row: of its own samples the shortest, then the commonest of all rows.

    None has an answer in it: everything would hold one.
    """
    by_use = sorted(common, key=lambda form: (-common[form], _size(form)))
    wanted = dict.fromkeys([*sorted(own, key=_size)[:1], *by_use])
    kept = (form for form in wanted if not holds(f"{form.before} {form.after}", references))
    return tuple(form for form, _ in zip(kept, range(_MOST), strict=False))


def _size(form: Form) -> tuple[int, str, str]:
    return len(form.before) + len(form.after), form.before, form.after
