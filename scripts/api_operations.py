#!/usr/bin/env python3
"""Writes the operations of the AWS APIs, as src/aws/*/*.api describe them, into docs/api.md.
With --check it writes nothing and fails where the page is not up to date."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
BEGIN, END = "<!-- operations: scripts/api_operations.py -->\n", "<!-- end of operations -->\n"
PROTOCOLS = {"query": "Query", "ec2": "Query (EC2's)", "json": "JSON", "cbor": "CBOR"}


def row(path):
    text = path.read_text("utf-8")
    name, version = re.search(r"^service (\S+) (\S+)", text, re.M).groups()
    signing = re.search(r"^signing (\S+)", text, re.M).group(1)
    protocols = ", ".join(PROTOCOLS[p] for p in re.findall(r"^protocol (\w+)", text, re.M))
    operations = sorted(re.findall(r"^operation (\w+)", text, re.M))
    return (f"| {name.replace('-', ' ')} | `{signing}` {version} | {protocols} | {len(operations)}: "
            f"{', '.join(operations)} |\n")


def main():
    rows = "".join(sorted(row(path) for path in (ROOT / "src" / "aws").glob("*/*.api")))
    table = "| service | signing name, version | protocols | operations |\n|---|---|---|---|\n" + rows
    page = PAGE.read_text("utf-8")
    head, rest = page.split(BEGIN)
    new = head + BEGIN + table + END + rest.split(END)[1]
    if "--check" not in sys.argv:
        PAGE.write_text(new, "utf-8")
    elif new != page:
        print("docs/api.md does not list what is there: run scripts/api_operations.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
