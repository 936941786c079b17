#!/usr/bin/env python3
"""Whether two CSV files hold the same records in any order, as Python's csv module reads them: same-csv.py A B"""
import csv
import sys

csv.field_size_limit(1 << 30)
a, b = (sorted(list(csv.reader(open(path, newline="", encoding="utf-8-sig")))[1:]) for path in sys.argv[1:])
if len(a) != len(b):
    sys.exit(f"{len(a)} records and {len(b)}")
for x, y in zip(a, b):
    for field, (p, q) in enumerate(zip(x, y), 1):
        if p != q:
            sys.exit(f"field {field}: {p!r} and {q!r}")
    if len(x) != len(y):
        sys.exit(f"{len(x)} fields and {len(y)}")
