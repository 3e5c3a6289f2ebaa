"""Moving in from hosted services.

`recognised` says what a dump holds, `samples` makes rows of output items, `imported` puts configs
and rows together, `same_numbers` compares scores with the hosted ones.
"""
