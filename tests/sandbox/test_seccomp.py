"""The numbers of the system calls are the kernel's own."""

import re
from pathlib import Path

import pytest

from sandbox import linux

HEADERS = [
    ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 0, r"#define __NR_(\w+)\s+(\d+)"),
    ("/usr/include/asm-generic/unistd.h", 1, r"#define __NR(?:3264)?_(\w+)\s+(\d+)"),
]
NEWER = {"statmount", "listmount", "fchmodat2", "setxattrat", "removexattrat", "open_tree_attr"}
NEWER |= {"file_setattr"}


@pytest.mark.needs("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
@pytest.mark.parametrize(("header", "column", "pattern"), HEADERS)
def test_numbers_are_those_of_the_headers(header, column, pattern):
    """A wrong number would refuse the wrong call, and let the right one through."""
    known = dict(re.findall(pattern, Path(header).read_text()))
    ours = {name: numbers[column] for name, numbers in linux._NUMBERS.items()}
    wrong = {
        name: (nr, known.get(name))
        for name, nr in ours.items()
        if name not in NEWER and nr != (int(known[name]) if name in known else None)
    }

    assert wrong == {}
