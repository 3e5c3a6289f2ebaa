"""What can be learnt from results that are there, without grading again: numbers, and sentences.

    teach/       Will it teach? `graders study`, and the end of `graders run`.
    choice/      Which metric agrees with people? `graders compare`.
    change/      What does a change of grader do? `graders diff`.
    statistics/  Under all three: numbers of columns, and how far they would move by chance.

Beside them: a `verdict` is a sentence with its number, `shapes` are what reports draw, and
`signatures` say what a result was made of.
"""
