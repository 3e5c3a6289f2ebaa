"""A page with every part that reports are made of, and with hostile texts wherever a text goes."""

import random

from graders.markup import el, many
from graders.report.html.chart_tables import Contestant, bars, forest, heat, stacked
from graders.report.html.charts import histogram
from graders.report.html.page import Page, Section, overview
from graders.report.html.points import Series, pareto, scatter
from graders.report.html.table import Column, RowsTable, fitted, table
from graders.studies.statistics.statistic import Interval, Statistic
from graders.studies.verdict import Verdict

HOSTILE = [
    "</script><script>alert('ran')</script>",
    "<!-- <script> ]]> -->",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "</title></textarea></style></svg><iframe srcdoc='<script>alert(1)</script>'>",
    "&lt;b&gt; &amp;",
    "abc\u202edef\u2066ghi\u200b\ufeff",
    "\x00\x07\x1b[31mred\x1b[0m\r\n\tnext\x85\u2028line",
    "half \ud800 of a pair \udfff",
    "{{ item.secret }} ${1} %s",
    "العربية and עברית",
    "漢字 \U0001f600 \U000e0041",
]
LONG = "x" * 1_000_000


def rows_of(number):
    """Rows with a hostile text each, some of which failed."""
    return [
        {
            "row": i + 1,
            "sample": i % 3,
            "score": None if i % 7 == 0 else (i * 37 % 101) / 100,
            "outcome": "failed" if i % 7 == 0 else "passed" if i % 2 else "not passed",
            "output": HOSTILE[i % len(HOSTILE)],
            "more": [
                [HOSTILE[(i + 1) % len(HOSTILE)], HOSTILE[(i + 2) % len(HOSTILE)]],
                ["traceback", f"Traceback {i}\n  File <grader>, line 1\nValueError: number {i}"],
            ],
        }
        for i in range(number)
    ]


def rows_table(number=120):
    """A table of them, that fits."""
    rows = rows_of(number)
    whole = RowsTable(
        columns=[
            Column(key="row", label="Row", kind="count"),
            Column(key="sample", label="Sample", kind="count"),
            Column(key="score", label="Score", kind="number", ranged=True),
            Column(key="outcome", label="Outcome", kind="choice"),
            Column(key="output", label="Output"),
        ],
        rows=rows,
        total=number,
        command=("graders explain 'a {row} b.json' --row ", "row", " --sample-index ", "sample"),
    )
    return fitted(whole, rows)


def charts():
    """One of each chart."""
    chance = random.Random(0)
    points = [(chance.random(), chance.choice([1.0, 2.0, 3.0, 4.0, 5.0])) for _ in range(150)]
    many_points = [(chance.gauss(0.5, 0.2), chance.gauss(0.5, 0.2)) for _ in range(5_000)]
    contestants = [
        Contestant(name="rouge_l", value=Statistic(value=0.7412), interval=interval(0.72, 0.761)),
        Contestant(name="bleu", value=Statistic(value=0.6981), interval=interval(0.671, 0.72)),
        Contestant(name=HOSTILE[0], value=Statistic(undefined="no two rows differ")),
    ]
    return [
        histogram("Samples by reward", (0.0, 1.0), [5, 1, 0, 0, 2, 9, 4, 0, 1, 30], x="reward"),
        bars("Share of rows", [("one", 0.9, "90 %"), (HOSTILE[2], 0.001, "0.1 %")], most=1.0),
        stacked(
            "Samples by outcome",
            ["passed", "not passed", "failed"],
            [("first", [5, 3, 2]), (HOSTILE[3], [0, 9, 1])],
        ),
        scatter("Metric against human", [Series(name="a", points=points)], ("metric", "human")),
        scatter("Many points", [Series(name="b", points=many_points)], ("metric", "human")),
        scatter(
            "Two kinds",
            [Series(name="right", points=points[:40]), Series(name="wrong", points=points[40:80])],
            ("metric", "human"),
        ),
        pareto(
            "Worth its cost",
            [("small", 1, 0.61), ("middle", 4, 0.74), ("large", 9, 0.75), (HOSTILE[1], 8, 0.5)],
            ("dollars", "correlation"),
        ),
        forest("Correlation with people", contestants),
        heat(
            "Members against each other",
            ["exact", "similar", HOSTILE[4]],
            [[1.0, 0.62, -0.4], [0.62, 1.0, None], [-0.4, None, 1.0]],
        ),
    ]


def interval(low, high):
    """An interval of many resamples."""
    return Interval(low=low, high=high, level=0.95, resamples=1000)


def gallery(rows=120):
    """The page."""
    listed = rows_table(rows)
    tones = ("bad", "warning", "note", "good")
    verdicts = [
        Verdict(code=tone, tone=tone, text=f"A verdict. {HOSTILE[i]}", value=0.5)
        for i, tone in enumerate(tones)
    ]
    texts = [[text, el("pre", text, tabindex="0")] for text in HOSTILE]
    return Page(
        kind="graders gallery",
        title=f"A gallery {HOSTILE[0]}",
        lead=HOSTILE[8],
        sections=[
            Section(
                id="overview",
                title="Overview",
                body=overview(verdicts, {"Mean": ("0.5", HOSTILE[1]), HOSTILE[2]: ("1", "")}),
            ),
            Section(id="charts", title="Charts", body=many(charts())),
            Section(id="texts", title=HOSTILE[0], body=table(["a", "b"], texts, caption="Texts")),
            Section(
                id="rows",
                title="Rows",
                body=many(
                    el("p", el("a", "The failed", href="#rows", data_show="outcome=failed")),
                    listed.to_markup("All rows"),
                ),
                rows="rows",
            ),
        ],
        facts={"command": "graders gallery 'a b.json'", HOSTILE[0]: HOSTILE[9]},
        data={"report": "gallery", "texts": HOSTILE, "rows": listed.to_json()},
    )
