"""The starter that `graders init` writes: capital cities, three sampled answers each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_OUTPUT, _ANSWER = "{{ sample.output_text }}", "{{ item.answer }}"

_GRADER: Final = {
    "type": "multi",
    "name": "capital",
    "graders": {
        "contains": {
            "type": "string_check",
            "name": "contains",
            "operation": "ilike",
            "input": _OUTPUT,
            "reference": _ANSWER,
        },
        "wording": {
            "type": "text_similarity",
            "name": "wording",
            "evaluation_metric": "rouge_l",
            "input": _OUTPUT,
            "reference": "{{ item.sentence }}",
        },
        "spelling": {
            "type": "text_similarity",
            "name": "spelling",
            "evaluation_metric": "fuzzy_match",
            "input": _OUTPUT,
            "reference": "{{ item.sentence }}",
        },
    },
    "calculate_output": "0.6 * contains + 0.4 * max(wording, spelling)",
    "pass_threshold": 0.8,
}

_SOURCE: Final = '''"""1 for naming the capital briefly, half at length. Runs in a sandbox."""


def grade(sample, item):
    text = sample["output_text"]
    if item["answer"].lower() not in text.lower():
        return 0.0
    return 1.0 if len(text) <= len(item["sentence"]) else 0.5
'''

_JUDGE: Final = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-mini-2025-04-14",
    "input": [
        {
            "role": "system",
            "content": "Rate the answer to a question from 0 (wrong) to 1 (right and well said). "
            "The question is: {{ item.question }} The right answer is: {{ item.answer }}",
        },
        {"role": "user", "content": _OUTPUT},
    ],
    "range": [0, 1],
    "pass_threshold": 0.5,
    "sampling_params": {"temperature": 0, "seed": 1, "max_completions_tokens": 512},
}

_MEANING: Final = {
    "type": "text_similarity",
    "name": "meaning",
    "evaluation_metric": "cosine",
    "input": _OUTPUT,
    "reference": "{{ item.sentence }}",
    "pass_threshold": 0.8,
}

_ROWS: Final = [
    (
        ("Kenya", "Nairobi"),
        ["The capital of Kenya is Nairobi.", "Nairobi", "I believe it is Mombasa."],
    ),
    (
        ("Australia", "Canberra"),
        ["The capital of Australia is Sydney.", "It's canberra!", "Canberra is the capital."],
    ),
    (
        ("Ecuador", "Quito"),
        ["The capital of Ecuador is Quito.", "Guayaquil.", "Quito, high in the Andes."],
    ),
    (
        ("Kazakhstan", "Astana"),
        ["The capital of Kazakhstan is Almaty.", "Astana (once Nur-Sultan)", "astana"],
    ),
]


def _item(country: str, capital: str) -> Mapping[str, str]:
    return {
        "question": f"What is the capital of {country}?",
        "answer": capital,
        "sentence": f"The capital of {country} is {capital}.",
    }


def _line(country: str, capital: str, samples: list[str]) -> str:
    return json.dumps({"item": _item(country, capital), "samples": samples}) + "\n"


_LABELLED: Final = [  # each answer with our label: whether it names the capital
    (("Kenya", "Nairobi"), {"The capital of Kenya is Nairobi.": 1, "Nairobi": 1, "Mombasa": 0}),
    (("Australia", "Canberra"), {"It is Sydney.": 0, "It's canberra!": 1, "canberra, I think": 1}),
    (("Ecuador", "Quito"), {"Quito, high in the Andes.": 1, "Guayaquil.": 0, "It is Quito": 1}),
    (("Kazakhstan", "Astana"), {"Almaty": 0, "Astana (once Nur-Sultan)": 1, "Nur-Sultan": 0}),
    (("Canada", "Ottawa"), {"Toronto, of course.": 0, "Ottawa": 1, "Ottawa, in Ontario": 1}),
    (("Brazil", "Bras\u00edlia"), {"Brasilia": 1, "Rio de Janeiro": 0, "S\u00e3o Paulo": 0}),
    (("Turkey", "Ankara"), {"Istanbul": 0, "Ankara, not Istanbul": 1, "ANKARA": 1}),
    (("Morocco", "Rabat"), {"Casablanca is the largest city.": 0, "Rabat": 1, "Marrakesh": 0}),
    (("Vietnam", "Hanoi"), {"Hanoi": 1, "Ho Chi Minh City": 0, "Hanoi.": 1}),
    (("New Zealand", "Wellington"), {"Auckland": 0, "Wellington": 1, "Christchurch": 0}),
    (("Switzerland", "Bern"), {"Zurich": 0, "Geneva": 0, "Bern, in fact if not in law": 1}),
    (("Myanmar", "Naypyidaw"), {"Yangon": 0, "Naypyidaw since 2006": 1, "Naypyitaw": 1}),
]


def _labelled_line(country: str, capital: str, samples: Mapping[str, int]) -> str:
    item = _item(country, capital)
    said = [{"output_text": text, "human": label} for text, label in samples.items()]
    return json.dumps({"item": item, "samples": said}) + "\n"


_METHOD: Final = {
    "type": "reinforcement",
    "reinforcement": {"grader": _GRADER, "hyperparameters": {"n_epochs": 2, "batch_size": 4}},
}


def _training_line(country: str, capital: str) -> str:
    question = f"What is the capital of {country}?"
    sentence = f"The capital of {country} is {capital}."
    messages = [{"role": "user", "content": question}]
    keys = {"question": question, "answer": capital, "sentence": sentence}
    return json.dumps({"messages": messages, **keys}) + "\n"


_CASES: Final = """{
  "cases": [
    {
      "name": "names the capital, briefly",
      "item": {"answer": "Nairobi", "sentence": "The capital of Kenya is Nairobi."},
      "sample": "It is nairobi.",
      "expect": 1.0
    },
    {
      "name": "names another city",
      "item": {"answer": "Nairobi", "sentence": "The capital of Kenya is Nairobi."},
      "sample": "Mombasa, I believe, which is a large city on the coast.",
      "expect": 0.0
    },
    {
      "name": "names the capital at length",
      "item": {"answer": "Nairobi", "sentence": "The capital of Kenya is Nairobi."},
      "sample": "It must be Nairobi, a city of some four million people.",
      "expect": [0.45, 0.55]
    },
    {
      "name": "an item without an answer",
      "item": {"sentence": "The capital of Kenya is Nairobi."},
      "sample": "Nairobi",
      "expect": "python_grader_runtime_error"
    },
    {
      "name": "right is better than long is better than wrong",
      "item": {"answer": "Nairobi", "sentence": "The capital of Kenya is Nairobi."},
      "samples": {
        "right": "Nairobi",
        "long": "Nairobi, a city of some four million people",
        "wrong": "Mombasa, I believe, which is a large city"
      },
      "expect": "right > long > wrong"
    }
  ]
}
"""

FILES: Final[Mapping[str, str]] = {
    "grader.json": json.dumps(_GRADER, indent=2) + "\n",
    "grade.py": _SOURCE,
    "grade.cases.json": _CASES,
    "judge.json": json.dumps(_JUDGE, indent=2) + "\n",
    "meaning.json": json.dumps(_MEANING, indent=2) + "\n",
    "method.json": json.dumps(_METHOD, indent=2) + "\n",
    "train.jsonl": "".join(_training_line(*pair) for pair, _ in _ROWS),
    "labelled.jsonl": "".join(_labelled_line(*pair, samples) for pair, samples in _LABELLED),
    "rows.jsonl": "".join(_line(*pair, samples) for pair, samples in _ROWS),
}
"""File names and what stands in them."""

CONFIGS: Final = tuple(
    name for name in FILES if name.endswith((".json", ".py")) and ".cases." not in name
)
"""Those that are graders, or hold one."""
