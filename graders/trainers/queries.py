"""What OpenRLHF asks of a reward, and what it reads of the answer, over HTTP or in a process.

It decodes the whole sequence with its special tokens: a query is the prompt's text, the response
and the token that ended it. What is graded is the response alone. Where a query does not begin
with its prompt there is no telling where the response begins, and that is a failure: OpenRLHF
cuts prompts that are too long from the left, and puts placeholders into those with images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from graders.errors import Failure, FailureKind, GradingError, RowError
from graders.grades import Grade
from graders.rows import Row, to_sample
from graders.strict_json import decode_or_none
from graders.trainers.failures import refuse_failures
from sandbox import JSON

T = TypeVar("T")

END_TOKENS: Final = (
    *("</s>", "<eos>", "[EOS]", "<|endoftext|>", "<|end_of_text|>"),
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|return|>"),
    *("<end_of_turn>", "<|END_OF_TURN_TOKEN|>", "[|endofturn|]", "<seed:eos>"),
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - as DeepSeek writes it
)
"""What ends a response in the tokenizers that are in use. Tokens inside a response stay."""

_LIKE_END: Final = re.compile(
    r"(?:<[|\uff5c][^<>\s]+[|\uff5c]>|\[\|[^\[\]\s]+\|\]"
    r"|<(?:[^<>\s]+:)?eos>|</s>|\[EOS\]|<end_of_turn>)\s*\Z",
    re.IGNORECASE,
)
UNKNOWN_END: Final = (
    "%s: a response ends in %r and is graded with it; if that is an end token, name it in %s"
)
"""For the log: the grader, what `unknown_end` found, and where tokens are named."""
_LONGEST: Final = 64
"""Characters of what may be a token."""

FAILED: Final = "graders/failed"
"""Of the extra logs: 1.0 for a row that has no score, else 0.0."""
_SHOWN: Final = 60
"""Characters of a prompt, or of a query, in a message."""


def response_of(query: str, prompt: str, end_tokens: Collection[str] = END_TOKENS) -> str:
    r"""What the model said: a query without its prompt, and without tokens at its end.

    Raises:
        GradingError: The query does not begin with the prompt.

    Example:
        >>> response_of("2 + 2 = ?\n<think>sum</think>4<|im_end|>", "2 + 2 = ?\n")
        '<think>sum</think>4'
    """
    if not query.startswith(prompt):
        problem = (
            f"the query {_ends(query)} does not begin with its prompt {_ends(prompt)}, so there "
            "is no telling what the model said; was the prompt too long, or had it images?"
        )
        raise GradingError(FailureKind.SAMPLE_PARSE, problem, reason="query")
    start, end = len(prompt), len(query)
    tokens = sorted(filter(None, end_tokens), key=len, reverse=True)
    before = -1
    while end != before:
        before = end
        for token in tokens:  # no copy for each that is taken off: there may be a million
            while query.endswith(token, start, end):
                end -= len(token)
    return query[start:end]


def unknown_end(rows: Iterable[Row | Failure]) -> str:
    """What the first response ends in that looks like an end token, or "" where none does.

    It was on no list, so it is graded with the response, and what is right may score 0.

    Example:
        >>> unknown_end(rows_of(["Q: A", "Q: A<|done|>"], ["Q: "] * 2, "AA", item=label_item))
        '<|done|>'
    """
    for row in rows:
        text = row.sample["output_text"] if isinstance(row, Row) else None
        if isinstance(text, str) and (found := _LIKE_END.search(text[-_LONGEST:])):
            return found[0]
    return ""


def _ends(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."


def label_item(_prompt: str, label: JSON) -> Mapping[str, JSON]:
    """The item of a label: an object, or the JSON of one, is the item. Any other is its `label`.

    Example:
        >>> label_item("", '{"answer": "A"}'), label_item("", "A"), label_item("", None)
        ({'answer': 'A'}, {'label': 'A'}, {})
    """
    value = decode_or_none(label) if isinstance(label, str) else label
    if isinstance(value, dict):
        return value
    return {} if label is None else {"label": label}


def rows_of(
    queries: Sequence[str],
    prompts: Sequence[str],
    labels: Sequence[T],
    end_tokens: Collection[str] = END_TOKENS,
    *,
    item: Callable[[str, T], Mapping[str, JSON]],
) -> list[Row | Failure]:
    """A row for each query, or why there is none.

    Args:
        queries: Whole sequences.
        prompts: What each begins with.
        labels: What the dataset says of each.
        end_tokens: What is taken off the end of a response.
        item: Makes an item of a prompt and a label, such as `label_item`.

    Raises:
        RowError: There are more or fewer prompts, or labels, than queries.

    Example:
        >>> (row,) = rows_of(["Q: A</s>"], ["Q: "], ['{"answer": "A"}'], item=label_item)
        >>> row.item, row.sample["output_text"]
        ({'answer': 'A'}, 'A')
    """
    for name, given in (("prompts", prompts), ("labels", labels)):
        if len(given) != len(queries):
            problem = f"there are {len(given)} for {len(queries)} queries; each needs its own"
            raise RowError(name, problem)
    rows: list[Row | Failure] = []
    for query, prompt, label in zip(queries, prompts, labels, strict=True):
        try:
            sample = to_sample(response_of(query, prompt, end_tokens))
            rows.append(Row(item=item(prompt, label), sample=sample, row=len(rows) + 1))
        except GradingError as error:
            rows.append(error.failure)
    return rows


def settled(found: Iterable[Row | Failure], grades: Iterable[Grade]) -> list[Grade]:
    """A grade for each of what `rows_of` found, given those of its rows."""
    graded = iter(grades)
    return [
        next(graded) if isinstance(one, Row) else Grade(name="query", failure=one) for one in found
    ]


def answer_of(
    grades: Sequence[Grade], members: Sequence[str], failed_reward: float | None
) -> dict[str, JSON]:
    """What OpenRLHF reads: rewards, scores for its dynamic filter, and what it logs.

    The extra logs always have the same keys: one for each member, and `graders/failed`.

    Args:
        grades: Of the queries, in order.
        members: Keys of the grader's members.
        failed_reward: What stands for a score that is missing, a member's too; None for nothing.

    Raises:
        GradingError: There is no score, and nothing that stands for it; says which query's.

    Example:
        >>> answer_of([Grade(name="exact", score=1.0)], [], None)
        {'rewards': [1.0], 'scores': [1.0], 'extra_logs': {'graders/failed': [0.0]}}
    """
    if failed_reward is None:
        refuse_failures(grades, "query")
    rewards: list[JSON] = [_number(grade, failed_reward) for grade in grades]
    logs: dict[str, JSON] = {
        key: [_number(grade.parts.get(key), failed_reward) for grade in grades] for key in members
    }
    logs[FAILED] = [float(grade.failure is not None) for grade in grades]
    return {"rewards": rewards, "scores": [*rewards], "extra_logs": logs}


def _number(grade: Grade | None, failed_reward: float | None) -> float:
    if grade is not None and grade.score is not None:
        return grade.score
    return failed_reward or 0.0  # None only for a member that the profile counts as 0.0
