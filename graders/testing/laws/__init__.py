"""Laws of graders: what holds for every sample, those of a case file and any other.

declared        which laws there are, and what each may be told
check           tries one: the table of all, and when there is nothing to try
bench           other samples on the items of a case file, and what its grader makes of them
same            deterministic, row_independent, invariant_to
scores          in_range, reference_is_best, empty_is_worst, monotone_under_truncation
robust          robust
variants        samples that hypothesis makes of those that there are
changes         pairs of texts that differ in case, whitespace, key order or unicode form
hostile         samples that break what was only tried on good ones
search          finds what breaks a law, and makes it small
counterexample  shows it, as a case to paste
"""
