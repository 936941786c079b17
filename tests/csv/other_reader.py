"""Reads CSV files with Python's csv module, for comparison: usage: other_reader.py FILE ENCODING SKIP

Prints each record as its fields, LENGTH:BYTES, and a line end; then how many records were left out because they have not as
many fields as the header or hold a NUL.  Empty lines are no records.
"""
import csv
import sys

path, encoding, skip = sys.argv[1], sys.argv[2], int(sys.argv[3])
csv.field_size_limit(1 << 30)
out = sys.stdout.buffer
left_out = 0
with open(path, encoding=encoding, newline="") as file:
    for _ in range(skip):
        file.readline()
    width = None
    for row in csv.reader(file):
        if not row:
            continue
        if width is None:
            width = len(row)
            continue
        if len(row) != width or any("\0" in field for field in row):
            left_out += 1
            continue
        for field in row:
            data = field.encode("utf-8")
            out.write(b"%d:%s," % (len(data), data))
        out.write(b"\n")
out.write(b"left out: %d\n" % left_out)
