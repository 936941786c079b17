"""Reads CSV files with Python's csv module, for comparison: usage: other_reader.py {FILE ENCODING SKIP}…

For each file prints the number of bytes that follow, a line end, then each record as its fields, LENGTH:BYTES, and a line
end, and last how many records were left out because they have not as many fields as the header or hold a NUL.  Empty lines
are no records.
"""
import csv
import sys


def read(path, encoding, skip):
    out = bytearray()
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
                out += b"%d:%s," % (len(data), data)
            out += b"\n"
    return out + b"left out: %d\n" % left_out


csv.field_size_limit(1 << 30)
for i in range(1, len(sys.argv), 3):
    reading = read(sys.argv[i], sys.argv[i + 1], int(sys.argv[i + 2]))
    sys.stdout.buffer.write(b"%d\n" % len(reading) + reading)
