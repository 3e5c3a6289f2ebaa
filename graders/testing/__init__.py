"""Testing graders like code: cases, laws, attacks, mutations.

Case files, which the pytest plugin collects; `README.md` has their format:

    case_file       the format, as models
    cases           reads a file and the config of its grader, and says what is wrong at its line
    located         JSON or YAML with the place of everything in it
    judging         the judge of a test, which answers what is written there
    tools           the sandbox of a session; runs a case
    check           holds a case against what the grader makes of it
    show            a case that does not hold, for a terminal
    goldens         rewrites scores that a file expects (`--cases-update`)
    annotations     what failed, for GitHub
    laws/           what must hold for every sample

Coverage and mutants (`--grader-coverage`, `graders mutate`):

    coverage         which lines and branches of a python grader ran
    instrument       runs before it in the sandbox, and tells
    python_text      a source whose nodes know their place in it
    mutators         the small changes of a source
    config_changes   those of a config
    meaning          whether two sources are the same program
    mutants          all mutants of a grader
    mutate           holds them against the cases
    mutation_report  what became of them

Attacks (`graders probe`):

    probe/          how a grader can be cheated

Which metric agrees with people (`graders compare`):

    labelled         rows that a person judged
    contestants      metrics by name, each in its variant
    contest          what contestants score, and cost
    weakness         how gameable each is
"""

SUFFIXES = (".cases.json", ".cases.yaml", ".cases.yml")
"""How the names of case files end. Here, where the pytest plugin finds it without the rest."""
