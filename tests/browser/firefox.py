# SPDX-License-Identifier: GPL-2.0-only
"""firefox.py REPORT.html PICTURE.png: the page as Firefox shows it when its script is done.

Firefox takes its picture when a page has loaded, which is before the script has read its data. So the
report stands in a frame, beside an image that a server of this program holds back for a while. Says which
share of the picture has each colour of the tasks; fails unless the lanes of two are there.
"""
import collections
import http.server
import os
import struct
import subprocess
import sys
import threading
import time
import zlib

HELD_BACK_S = 4
TASKS = {"#0072b2": (0, 0x72, 0xB2), "#e69f00": (0xE6, 0x9F, 0), "#56b4e9": (0x56, 0xB4, 0xE9), "#cc79a7": (0xCC, 0x79, 0xA7)}


class Late(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(HELD_BACK_S)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def take(page, picture):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    frame = page + ".frame.html"
    with open(frame, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><body style="margin:0"><img src="http://127.0.0.1:{server.server_port}/" style="display:none">'
                   f'<iframe src="{os.path.basename(page)}" style="border:0;width:1280px;height:1400px"></iframe>')
    profile = page + ".profile"
    os.makedirs(profile, exist_ok=True)
    subprocess.run(["firefox-esr", "--no-remote", "--profile", profile, "--window-size=1280,1400", "--screenshot",
                    picture, "file://" + frame], env={**os.environ, "MOZ_HEADLESS": "1", "HOME": profile},
                   stdin=subprocess.DEVNULL, timeout=120, check=False)


def paeth(a, b, c):
    p = a + b - c
    near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))
    return near[2]


def unfilter(kind, line, above, size):
    """A row of PNG, in place (PNG specification, section 9)."""
    for i, value in enumerate(line):
        a = line[i - size] if i >= size else 0
        if kind == 1:
            value += a
        elif kind == 2:
            value += above[i]
        elif kind == 3:
            value += (a + above[i]) // 2
        elif kind == 4:
            value += paeth(a, above[i], above[i - size] if i >= size else 0)
        line[i] = value & 255


def colors(picture):
    with open(picture, "rb") as file:
        png = file.read()
    width, height, depth, kind = struct.unpack_from(">IIBB", png, 16)
    assert depth == 8 and kind in (2, 6)
    size, at, data = (3 if kind == 2 else 4), 8, b""
    while at < len(png):
        length, = struct.unpack_from(">I", png, at)
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    raw, above, count = zlib.decompress(data), bytearray(width * size), collections.Counter()
    for y in range(height):
        start = y * (width * size + 1)
        line = bytearray(raw[start + 1:start + 1 + width * size])
        if raw[start]:
            unfilter(raw[start], line, above, size)
        count.update(zip(line[0::size], line[1::size], line[2::size]))
        above = line
    return count, width * height


def main():
    page, picture = (os.path.abspath(path) for path in sys.argv[1:])
    take(page, picture)
    count, pixels = colors(picture)
    shares = {name: count[rgb] / pixels for name, rgb in TASKS.items()}
    print(shares)
    if sum(share > 0.002 for share in shares.values()) < 2:
        sys.exit("the lanes of the tasks are not in the picture")


main()
