"""Testing graders like code: cases, laws, attacks, mutations."""

SUFFIXES = (".cases.json", ".cases.yaml", ".cases.yml")
"""How the names of case files end. Here, where the pytest plugin finds it without the rest."""
