"""Codes about the source of a python grader."""

from __future__ import annotations

from typing import Final

from graders.lint.codes.code import Code, python

_HALF: Final = "def grade(sample, item):\n    return 0.5"
_TAG: Final = "2025-05-08"
_ONE: Final = "def grade(sample, item): return 1.0\n"

CODES: Final = (
    Code(
        name="source-syntax",
        severity="error",
        title="The source does not compile: indented as a block, its newlines lost, or else.",
        bad=python("    def grade(sample, item):\n        return 0.5"),
        good=python(_HALF),
        fixable=True,
    ),
    Code(
        name="source-size",
        severity="error",
        title="The source is larger than 256 kB.",
        bad=python(_ONE + "# " + "x" * 256 * 1024),
        good=python(_ONE),
    ),
    Code(
        name="no-grade",
        severity="error",
        title="The source binds no grade.",
        bad=python("def score(sample, item):\n    return 0.5"),
        good=python(_HALF),
    ),
    Code(
        name="grade-signature",
        severity="error",
        title="grade cannot be called with a sample and an item.",
        bad=python("def grade(sample):\n    return 0.5"),
        good=python(_HALF),
    ),
    Code(
        name="grade-order",
        severity="warning",
        title="grade(item, sample): it is called with the sample first.",
        bad=python('def grade(item, sample):\n    return float(sample["output_text"] == "4")'),
        good=python('def grade(sample, item):\n    return float(sample["output_text"] == "4")'),
        fixable=True,
    ),
    Code(
        name="grade-names",
        severity="warning",
        title="Parameters named for texts, and both are dicts.",
        bad=python("def grade(sample_text, reference_text):\n    return 0.5"),
        good=python(_HALF),
    ),
    Code(
        name="grade-extra",
        severity="warning",
        title="A third parameter, which always keeps its default.",
        bad=python("def grade(sample, item, limit=3):\n    return 0.5"),
        good=python(_HALF),
    ),
    Code(
        name="grade-async",
        severity="warning",
        title="grade is async, and gives a coroutine in place of a number.",
        bad=python("async def grade(sample, item):\n    return 0.5"),
        good=python(_HALF),
    ),
    Code(
        name="returns-nothing",
        severity="warning",
        title="A way out of grade without a number.",
        bad=python('def grade(sample, item):\n    if sample["output_text"]:\n        return 1.0'),
        good=python('def grade(sample, item):\n    if sample["output_text"]:\n        return 1.0\n'
                    "    return 0.0"),
    ),
    Code(
        name="returns-no-number",
        severity="warning",
        title="grade returns a dict, a list or text.",
        bad=python('def grade(sample, item):\n    return {"score": 1.0}'),
        good=python("def grade(sample, item):\n    return 1.0"),
    ),
    Code(
        name="returns-bool",
        severity="warning",
        title="grade returns True or False, which is no score here (--set bool_returns=number).",
        bad=python('def grade(sample, item):\n    return sample["output_text"] == item["answer"]'),
        good=python('def grade(sample, item):\n'
                    '    return float(sample["output_text"] == item["answer"])'),
    ),
    Code(
        name="output-json-none",
        severity="warning",
        title='sample["output_json"] is None where the answer is no JSON, and nothing asks.',
        bad=python('def grade(sample, item):\n    return float(sample["output_json"]["n"])'),
        good=python('def grade(sample, item):\n    answer = sample["output_json"]\n'
                    '    return float(answer["n"]) if answer else 0.0'),
    ),
    Code(
        name="source-network",
        severity="warning",
        title="An import that needs a network, which graders have not.",
        bad=python("import urllib.request\n" + _ONE),
        good=python(_ONE),
    ),
    Code(
        name="source-file",
        severity="warning",
        title="A file is read, and graders have none.",
        bad=python('def grade(sample, item):\n    return len(open("answers.txt").read()) / 10'),
        good=python('def grade(sample, item):\n    return len(item["answers"]) / 10'),
    ),
    Code(
        name="runs-sample",
        severity="warning",
        title="What the model wrote is run as code, and can set its own score.",
        bad=python('def grade(sample, item):\n    return float(eval(sample["output_text"]))'),
        good=python('def grade(sample, item):\n    return float(sample["output_text"])'),
    ),
    Code(
        name="local-only",
        severity="warning",
        title="sandbox.run_code is ours, and not on the hosted service.",
        bad=python("import sandbox\n" + _ONE),
        good=python(_ONE),
    ),
    Code(
        name="import-not-here",
        severity="warning",
        title="An import that is not installed here, in a config without image_tag.",
        bad=python("import no_such_package\n" + _ONE),
        good=python("import math\n" + _ONE),
    ),
    Code(
        name="image-import",
        severity="warning",
        title="An import that the hosted image has not.",
        bad=python("import torch\n" + _ONE, image_tag=_TAG),
        good=python("import math\n" + _ONE, image_tag=_TAG),
    ),
    Code(
        name="image-unknown",
        severity="warning",
        title="An image_tag that we do not know.",
        bad=python(_ONE, image_tag="2025-05-09"),
        good=python(_ONE, image_tag=_TAG),
    ),
    Code(
        name="image-undocumented",
        severity="warning",
        title="An image_tag of whose packages nothing is known.",
        bad=python(_ONE, image_tag="alpha"),
        good=python(_ONE, image_tag=_TAG),
    ),
    Code(
        name="image-corpus",
        severity="warning",
        title="nltk data that the hosted image has not.",
        bad=python("from nltk.corpus import brown\n" + _ONE, image_tag=_TAG),
        good=python("from nltk.corpus import stopwords\n" + _ONE, image_tag=_TAG),
    ),
    Code(
        name="image-download",
        severity="warning",
        title="nltk.download, which has no network.",
        bad=python('import nltk\nnltk.download("stopwords")\n' + _ONE, image_tag=_TAG),
        good=python("import nltk\n" + _ONE, image_tag=_TAG),
    ),
    Code(
        name="image-missing-here",
        severity="warning",
        title="A package of the image that is not installed here.",
        here="It depends on what is installed.",
    ),
    Code(
        name="image-version",
        severity="warning",
        title="A package of the image that is here in another version.",
        bad=python("import nltk\n" + _ONE, image_tag=_TAG),
        good=python("import math\n" + _ONE, image_tag=_TAG),
    ),
    Code(
        name="image-corpus-here",
        severity="warning",
        title="nltk data of the image that is not on this machine.",
        here="It depends on the machine.",
    ),
)  # fmt: skip
