"""What `sdk_walk.py` and `sdk_walk.mjs` ask for: configs, rows and a job, right and wrong."""

import json

from sample_configs import EXACT, JUDGE, PYTHON

SIMILAR = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "fuzzy_match",
    "pass_threshold": 0.8,
}
SHORT = {
    **PYTHON,
    "name": "short",
    "source": 'def grade(sample, item):\n    return 1 / len(sample["output_text"])\n',
    "pass_threshold": 0.1,
}
RATED = {**JUDGE, "name": "rated", "pass_threshold": 0.2}
NAMELESS = {key: value for key, value in EXACT.items() if key != "name"}
SLOW = {
    **PYTHON,
    "name": "slow",
    "source": "import time\n\ndef grade(sample, item):\n    time.sleep(100)\n    return 1.0\n",
    "pass_threshold": 0.5,
}
RAISING = {**PYTHON, "source": 'def grade(sample, item):\n    return item["absent"]\n'}
REMOTE = {"type": "endpoint", "name": "remote", "url": "http://127.0.0.1:9/"}
CRITERIA = [EXACT, SIMILAR, SHORT, RATED]


def multi(formula, **members):
    return {"type": "multi", "name": "both", "graders": members, "calculate_output": formula}


def request(grader, text="wool", answer="woolly"):
    return {"grader": grader, "model_sample": text, "item": {"answer": answer}}


def row(text, **item):
    return {"item": item, "sample": {"output_text": text}}


ROWS = [
    row("4", answer="4"),
    row("5", answer="4"),
    row("woolly", answer="wool"),
    row("4", other="4"),  # the item has no answer: two of the criteria fail to grade it
    row("été", answer="été"),
]
EVAL = {
    "name": "walk",
    "data_source_config": {
        "type": "custom",
        "item_schema": {"type": "object", "properties": {"answer": {"type": "string"}}},
        "include_sample_schema": True,
    },
    "testing_criteria": CRITERIA,
    "metadata": {"of": "the walk"},
}
TRAINING = [
    {"messages": [{"role": "user", "content": f"What is {i} + {i}?"}], "answer": str(2 * i)}
    for i in range(20)
]
JOB = {
    "model": "o4-mini-2025-04-16",
    "method": {
        "type": "reinforcement",
        "reinforcement": {
            "grader": EXACT,
            "hyperparameters": {"n_epochs": 2, "batch_size": "auto", "reasoning_effort": "low"},
        },
    },
    "seed": 7,
    "suffix": "walk",
    "metadata": {"of": "the walk"},
}
ASKED = {
    "runs": {
        "exact hit": request(EXACT, "4", "4"),
        "exact miss": request(EXACT),
        "similar": request(SIMILAR),
        "python": request(SHORT),
        "judge": request(RATED),
        "multi": request(multi("0.25 * a + b", a=EXACT, b=SIMILAR)),
        "multi of all": request(multi("(a + b + c + d) / 4", a=EXACT, b=SIMILAR, c=SHORT, d=RATED)),
        "nameless": request(NAMELESS),
        "absent variable": {"grader": EXACT, "model_sample": "4", "item": {}},
        "raising": request(RAISING),
        "failed member": request(multi("a + b", a=EXACT, b=RAISING)),
        "no formula": request(multi("a +", a=EXACT)),
        "endpoint": request(REMOTE),
        "sample as an object": {**request(EXACT), "model_sample": {"output_text": "woolly"}},
    },
    "validated": {"exact": EXACT, "nameless": NAMELESS, "multi": multi("a", a=SIMILAR)},
    "refused": {
        "operation": {**EXACT, "operation": "neq"},
        "missing": {key: value for key, value in EXACT.items() if key != "reference"},
        "template": {**EXACT, "input": "{{ item.a"},
        "formula": multi("a + c", a=EXACT),
        "member": multi("a", a={**SIMILAR, "evaluation_metric": "rouge"}),
        "source": {**PYTHON, "source": "def grade(sample, item) return 1"},
        "type": {**EXACT, "type": "string_chekc"},
    },
    "refused_runs": {
        "operation": request({**EXACT, "operation": "neq"}),
        "sample": {**request(EXACT), "model_sample": 5},
    },
    "eval": EVAL,
    "slow_eval": {**EVAL, "testing_criteria": [SLOW]},
    "refused_evals": {
        "no criteria": {**EVAL, "testing_criteria": []},
        "operation": {**EVAL, "testing_criteria": [EXACT, {**EXACT, "operation": "neq"}]},
    },
    "rows": ROWS,
    "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
    "training": "".join(json.dumps(row) + "\n" for row in TRAINING),
    "long_training": "".join(json.dumps(row) + "\n" for row in TRAINING * 1000),
    "job": JOB,
    "refused_jobs": {
        "hyperparameter": {
            **JOB,
            "method": {
                "type": "supervised",
                "supervised": {"hyperparameters": {"n_epochs": 0}},
            },
        },
        "file": {**JOB, "training_file": "file-absent"},
    },
}
