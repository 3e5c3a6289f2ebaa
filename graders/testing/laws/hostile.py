"""Samples that break graders which were only tried on good ones.

A model in training writes all of them sooner or later; whoever reads `output_json["answer"]` finds
None there, or a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from graders.strict_json import DEEPEST
from graders.testing.laws.bench import Sample

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sized:
    """A text that is hostile by its size.

    Attributes:
        make: The text of a size.
        size: The size that a grader has to bear.
    """

    make: Callable[[int], str]
    size: int


SAMPLES: Final[Mapping[str, Sample]] = {
    "nothing": "",
    "a space": " ",
    "no JSON": "{",
    "null": "null",
    "true": "true",
    "a number": "3",
    "a negative number": "-1",
    "a string in JSON": '"x"',
    "an empty list": "[]",
    "a list": "[null]",
    "an empty object": "{}",
    "an object of nulls": '{"answer": null}',
    "NaN": "NaN",
    "NaN in JSON": '{"answer": NaN}',
    "infinity": "-Infinity",
    "a number beyond a double": "1e999",
    "a lone surrogate": "\ud800",
    "a lone surrogate in JSON": '{"answer": "\\ud800"}',
    "a zero character": "\x00",
    "right to left": "\u202e4",
    "digits of another script": "\u0664\u00b2",
    "half of a fraction": "1/",
    "a division by zero": "1/0",
    "what a regular expression reads": "(((a+)+)+$",
    "what a template reads": "{{ item.answer }} %s {0} ${x}",
    "a refusal": {
        "output_text": "",
        "output_json": None,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "refusal": "No.",
                    "tool_calls": [],
                },
                "finish_reason": "stop",
            }
        ],
    },
}
"""What each is, and the sample."""

SIZED: Final[Mapping[str, Sized]] = {
    "a long word": Sized(lambda n: "a" * n, _MILLION),
    "many words": Sized(lambda n: "a " * n, _MILLION // 2),
    "many lines": Sized(lambda n: "\n" * n, _MILLION),
    "many digits": Sized(lambda n: "1" * n, _MILLION),
    "a deep list": Sized(lambda n: "[" * n + "]" * n, DEEPEST),
    "a deep object": Sized(lambda n: '{"answer":' * n + "1" + "}" * n, DEEPEST),
    "brackets that are no JSON": Sized(lambda n: "[" * n, _MILLION),
}
"""Up to 1 MB, and as deep as JSON may be here; deeper is a text like any other."""
