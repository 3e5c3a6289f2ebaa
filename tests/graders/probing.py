"""Rows to probe graders on, and short ways to do it."""

from graders.compile import Tools, compile_grader
from graders.config.parse import read_config
from graders.rows import Row, to_sample
from graders.testing.probe import ProbeOptions, probe
from graders.testing.probe.targets import reference_slots

TEXTS = {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
EXACT = {"type": "string_check", "name": "exact", "operation": "eq", **TEXTS}
CONTAINS = {**EXACT, "operation": "ilike"}


def similar(metric):
    """A text_similarity grader."""
    return {"type": "text_similarity", "name": "similar", "evaluation_metric": metric, **TEXTS}


def rows_of(*lines):
    """Rows as a file's lines would give them: (item, samples) each."""
    return [
        Row(item=item, sample=to_sample(sample), row=i, sample_index=j, group=i)
        for i, (item, samples) in enumerate(lines, start=1)
        for j, sample in enumerate(samples)
    ]


def said(question, answer, *samples):
    """A line: its item and what models said."""
    return {"question": question, "answer": answer}, samples


WORDS = rows_of(
    said("Who wrote War and Peace?", "Leo Nikolayevich Tolstoy", "I am not sure", "Anton", "hm"),
    said("Who painted the night watch?", "Rembrandt van Rijn", "Jan Vermeer", "nobody", "hm"),
    said("Who sings Waterloo first?", "Agnetha and Frida", "The Beatles", "someone else", "hm"),
)
NUMBERS = rows_of(
    said("What is 6 * 7?", "42", "41", "7", "13"),
    said("What is 10 - 3?", "7", "8", "3", "1"),
)
OBJECTS = rows_of(
    ({"answer": '{"city": "Paris"}'}, ['{"city": "Lyon"}', '{"town": "Nice"}', "{}"]),
    ({"answer": '{"city": "Rome"}'}, ['{"city": "Pisa"}', '{"town": "Bari"}', "{}"]),
)


def probed(config, rows, *, sandbox=None, client=None, profile=None, **options):
    """The report on a grader."""
    tools = Tools(sandbox=sandbox, client=client)
    settings = {"profile": profile} if profile else {}
    grader = compile_grader(config, tools=tools, **settings)
    slots = reference_slots(read_config(config))
    return probe(grader, rows, ProbeOptions(references=slots, **options))


def found(report, kind="cheat"):
    """The names of what was found, by kind."""
    return {one.way.name if one.way else "" for one in report.tally.findings() if one.kind == kind}


def figures(report):
    """The figures of each attack by its name."""
    return {one.way.name: one for one in report.tally.attacks}


def python(*lines):
    """A grader from the lines of `grade`, where `text` is the output."""
    body = "\n    ".join(["text, answer = sample['output_text'], item['answer']", *lines])
    source = f"import json, re\ndef grade(sample, item):\n    {body}\n"
    return {"type": "python", "name": "code", "source": source}
