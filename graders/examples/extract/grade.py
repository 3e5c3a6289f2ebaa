"""A short answer behind a mark, compared with a list of accepted ones: 1.0 or 0.0.

The item has `answers`, a list of texts. The last line of the output that begins with `Answer:`
counts, and nothing else does: an answer that is only mentioned gets nothing. Upper and lower case,
accents' way of writing, articles, punctuation at the ends and white space do not matter.
Not seen: synonyms and other spellings; put them into the list.
"""

import re
import unicodedata

LONGEST = 500  # characters of an answer
MARK = re.compile(r"^[ \t>*_#-]*(?:final )?answer[*_]*:(.*)$", re.IGNORECASE | re.MULTILINE)
ENDS = " \t.,;:!?\"'`*_()[]{}"


def grade(sample, item):
    """Whether the marked answer is one of the accepted."""
    accepted = item["answers"]
    if not isinstance(accepted, list) or not all(isinstance(one, str) for one in accepted):
        raise TypeError(f"the row's answers are {accepted!r}, and must be a list of texts")
    wanted = {normal(one) for one in accepted}
    if not wanted or "" in wanted:
        raise ValueError(f"the row accepts {accepted!r}, of which nothing is left to compare")
    marked = MARK.findall(sample.get("output_text") or "")
    if not marked or len(marked[-1]) > LONGEST:
        return 0.0
    return float(normal(marked[-1]) in wanted)


def normal(text):
    """A text in one way of writing it."""
    text = unicodedata.normalize("NFKC", text).casefold().strip(ENDS)
    text = re.sub(r"^(?:the|an?)\s+", "", text)
    return " ".join(text.split())
