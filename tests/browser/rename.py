# SPDX-License-Identifier: GPL-2.0-only
"""rename.py TRACE OUT OLD NEW: the trace with other task names.

Writes the bytes NEW for OLD, of the same length, in every chunk of the trace (docs/trace-format.md,
sections 2 and 3). The index and the certificate are left out: OUT is what a killed recorder leaves.
"""
import struct
import sys
import zlib

HEADER, CHUNK = 32, 56
INCOMPLETE, ZLIB = 1, 1


def chunks(trace):
    at = HEADER
    while at < len(trace):
        kind, coding, stored = trace[at + 4:at + 8], *struct.unpack_from("<I I", trace, at + 12)
        payload = trace[at + CHUNK:at + CHUNK + stored]
        yield bytearray(trace[at:at + CHUNK]), kind, zlib.decompress(payload) if coding == ZLIB else payload
        at += CHUNK + stored


def main():
    path, out, *names = sys.argv[1:]
    old, new = (name.encode() for name in names)
    with open(path, "rb") as file:
        trace = file.read()
    assert len(old) == len(new)
    header = bytearray(trace[:HEADER])
    struct.pack_into("<I Q", header, 12, INCOMPLETE, 0)
    struct.pack_into("<I", header, 28, zlib.crc32(header[:28]))
    written, changed = bytes(header), 0
    for head, kind, raw in chunks(trace):
        if kind not in (b"META", b"SCHM", b"EVTS"):
            continue
        changed += raw.count(old)
        raw = raw.replace(old, new)
        payload = raw if kind == b"META" else zlib.compress(raw)
        struct.pack_into("<I I", head, 16, len(payload), len(raw))
        struct.pack_into("<I", head, 28, zlib.crc32(payload))
        struct.pack_into("<I", head, 52, zlib.crc32(head[:52]))
        written += head + payload
    assert changed, f"no {names[0]} in {path}"
    with open(out, "wb") as file:
        file.write(written)


main()
