"""Reports as one HTML file that asks for nothing: a page, and the parts it is made of.

What makes a page of some findings (`run_page`, `study_page`) puts it together from these, and from
`graders.markup`, whose `el` escapes whatever is no `Markup`:

    page            `Page` and `Section`, `overview` of verdicts and figures, `lines_left_out`;
                    `to_html`; `fragment`; `fitting`, less than a megabyte
    charts          `histogram`
    numbers         statistics as lines of a table
    chart_tables    `bars`, `stacked`, `forest`, `heat`: a line for each name
    points          `scatter`, `steps`, `pareto`
    people_part     scores beside what people said
    spending_part   what models were asked, and what it cost
    table           `table`; `RowsTable`, which a reader filters, sorts and opens, and `fitted`
    draw            `Draw`: which rows of many are shown
    items           what they are outputs for
    groups          what they are compared within, added up
    embedded        data as JSON, in a page or as a file

Findings come as verdicts (`graders.studies.verdict`), numbers as statistics. The data of a page is
all that it shows, for programs: `--report out.json` writes that alone. A page is a function of its
findings: no clock, no chance, no file names that nobody gave.

Example:
    >>> from graders.report.html.charts import histogram
    >>> from graders.report.html.page import Page, Section, overview, to_html
    >>> from graders.studies.verdict import Verdict
    >>> verdict = Verdict(code="sound", tone="good", text="All <three> of three are right.")
    >>> chart = histogram("Items by reward", (0.0, 1.0), [0, 3], x="reward")
    >>> html = to_html(Page(
    ...     kind="graders study",
    ...     title="capital",
    ...     sections=[
    ...         Section(id="overview", title="Overview",
    ...                 body=overview([verdict], {"Mean reward": ("1.0000", "over 3")})),
    ...         Section(id="rewards", title="Rewards", body=chart),
    ...     ],
    ...     facts={"command": "graders study results.jsonl"},
    ...     data={"report": "study", "verdicts": [verdict.to_json()]},
    ... ))
    >>> "All &lt;three&gt; of three are right." in html, "<script>alert" in html
    (True, False)
"""
