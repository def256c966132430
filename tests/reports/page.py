# SPDX-License-Identifier: GPL-2.0-only
"""The tables inside a report.html, read back from their definition in html_data.h and html_table.h, are
the slices of the csv export and the numbers of the report.

    python page.py OUT.html OUT.json OUT.csv
"""
import base64
import csv
import html.parser
import json
import sys
import zlib

UNKNOWN, MARK, PROGRESS = 0x1f, 0x20, 0x40


class Page(html.parser.HTMLParser):
    """Collects the head and the tables' columns."""

    def __init__(self):
        super().__init__()
        self.head, self.tables, self.at = None, {}, None

    def handle_starttag(self, tag, attrs):
        self.at = dict(attrs) if tag == 'script' else None

    def handle_endtag(self, tag):
        self.at = None

    def handle_data(self, text):
        if not self.at:
            return
        if self.at.get('id') == 'lab-head':
            self.head = json.loads(text)
        elif self.at.get('class') == 'lab-block':
            self.block(self.at['data-table'], self.at['data-columns'], text)

    def block(self, table, columns, text):
        plain, at = zlib.decompress(base64.b64decode(text)), 0
        for column in columns.split():
            name, planes, cnt = column.rsplit('/', 2)
            planes, cnt = int(planes), int(cnt)
            values = [0] * cnt
            for plane in range(planes):
                for i, byte in enumerate(plain[at:at + cnt]):
                    values[i] |= byte << 8 * plane
                at += cnt
            self.tables.setdefault(table, {}).setdefault(name, []).extend(values)
        assert at == len(plain)


def spans_of(page):
    """(task, start, end, state, cpu, reason, call, waker) of every span, as csv has them."""
    head, t = page.head, page.tables['spans']
    cpus, calls, wakers = iter(t.get('cpu', [])), iter(t.get('call', [])), iter(t.get('waker', []))
    kinds = iter(zip(t['kind'], t['dur']))
    for task in head['tasks']:
        at = page.births[task['id']]
        for _ in range(task['spans']):
            kind, dur = next(kinds)
            kind &= ~(MARK | PROGRESS)
            if kind == 0:
                row = ('running', str(head['cpus'][next(cpus)]['cpu']), '', None, 0)
            elif kind == 1:
                row = ('ready', '', '', None, 0)
            elif kind == UNKNOWN:
                row = ('unknown', '', '', None, 0)
            else:
                call = next(calls)
                row = ('blocked', '', head['reasons'][kind - 2],
                       head['calls'][call - 1] if call else None, next(wakers))
            yield (task['id'], at, at + dur) + row
            at += dur
    assert next(kinds, None) is None and next(cpus, None) is None and next(calls, None) is None


def main(page_path, report_path, csv_path):
    page = Page()
    page.feed(open(page_path).read())
    report = json.load(open(report_path))
    page.births = {t['id']: t['start_ns'] for t in report['tasks']}
    got = list(spans_of(page))
    want = list(csv.DictReader(open(csv_path)))
    assert page.head['left_out'] == 0 and page.head['window_ns'] == report['window']['duration_ns']
    assert len(got) == len(want) == page.head['spans'] > 0
    for row, line in zip(got, want):
        assert row[:6] == (int(line['id']), int(line['start_ns']), int(line['end_ns']), line['state'],
                           line['cpu'], line['reason']), (row, line)
        assert row[7] == int(line['waker_id'] or 0), (row, line)
        if row[6]:
            assert page.head['calls'].index(row[6]) == int(line['syscall']), (row, line)
    others = page.tables.get('others', {'dur': [], 'class': []})
    foreign = sum(d for d, c in zip(others['dur'], others['class']) if c == 2)
    unknown = sum(others['dur']) - foreign
    assert foreign == sum(c['foreign_ns'] for c in report['cpus'])
    assert unknown == sum(c['unknown_ns'] for c in report['cpus'])
    path = page.tables['path']
    assert sum(path['dur']) == report['critical_path']['length_ns'] == page.head['window_ns']
    assert list(zip(path['dur'], path['task'])) == \
        [(s['end_ns'] - s['start_ns'], s['id'] or 0) for s in report['critical_path']['segments']]
    parts = page.tables.get('parts', {'dur': []})
    assert len(parts['dur']) == page.head['parts']


main(*sys.argv[1:])
