#!/usr/bin/env python3
"""Dependencies between the folders of src/ point one way: every #include of a source file must be
of its own folder or of one that its CMakeLists.txt names (directly or through another)."""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"


def declared() -> dict[str, set[str]]:
    folders = {}
    for cmake in SRC.glob("*/CMakeLists.txt"):
        match = re.search(r"weir_library\(\w+([^)]*)\)", cmake.read_text())
        words = match.group(1).split() if match else []
        names, keep = set(), False
        for word in words:
            if word in ("DEPS", "EXTERNAL"):
                keep = word == "DEPS"
            elif keep:
                names.add(word)
        folders[cmake.parent.name] = names
    return folders


def closure(folders: dict[str, set[str]], name: str) -> set[str]:
    seen, todo = {name}, [name]
    while todo:
        for dep in folders.get(todo.pop(), ()):
            if dep not in seen:
                seen.add(dep)
                todo.append(dep)
    return seen


def main() -> int:
    folders, bad = declared(), []
    for source in sorted(SRC.rglob("*.[ch]pp")):
        folder = source.relative_to(SRC).parts[0]
        allowed = closure(folders, folder)
        for number, line in enumerate(source.read_text().splitlines(), 1):
            match = re.match(r'\s*#include "([a-z_]+)/', line)
            if match and match.group(1) in folders and match.group(1) not in allowed:
                bad.append(f"{source.relative_to(SRC.parent)}:{number}: {folder} may not include {match.group(1)}")
    data_plane = {"net", "tls", "http", "auth", "traffic", "routing", "balancing", "telemetry", "health", "proxy"}
    control_plane = {"store", "metrics", "compute", "control", "stacks", "aws", "importing", "daemon", "cli"}
    for folder in data_plane:
        for wrong in closure(folders, folder) & control_plane:
            bad.append(f"src/{folder}/CMakeLists.txt: the data plane may not depend on {wrong}")
    for line in bad:
        print(line, file=sys.stderr)
    print(f"{len(folders)} folders, {len(bad)} wrong dependencies")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
