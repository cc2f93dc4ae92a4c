#!/usr/bin/env python3
"""Keeps what is derived in step with its source: the C++ app's text inside user-data/cpp.sh, and
user-data/flask.sh inside flask/app_cluster1.py and app_cluster2.py. With --check nothing is
written; the exit status tells whether all is in step."""
import pathlib
import re
import sys

APPS = pathlib.Path(__file__).resolve().parent
USER_DATA_BYTES_MAX = 16 * 1024  # EC2's limit, before base64

FLASK_FILE = '''"""The user data of an instance of cluster {number}: Flask in /home/ubuntu/flask-server, on port 80.

`python3 app_cluster{number}.py` prints the script. Made by ../make_user_data.py from
../user-data/flask.sh: change it there.
"""

USER_DATA = r"""{script}"""

if __name__ == "__main__":
    print(USER_DATA, end="")
'''


def script(number: int, body: str) -> str:
    return f"#!/bin/bash\nCLUSTER={number}\n{body}"


def derived() -> dict[pathlib.Path, str]:
    source = (APPS / "cluster-app.cpp").read_text()
    cpp, flask = APPS / "user-data/cpp.sh", (APPS / "user-data/flask.sh").read_text()
    here_document = re.compile(r"(<<'END_OF_SOURCE'\n).*?(END_OF_SOURCE\n)", re.DOTALL)
    files = {cpp: here_document.sub(lambda match: match[1] + source + match[2], cpp.read_text())}
    for number in (1, 2):
        text = FLASK_FILE.format(number=number, script=script(number, flask))
        files[APPS / f"flask/app_cluster{number}.py"] = text
    for body in (files[cpp], flask):
        size = len(script(1, body).encode())
        if size > USER_DATA_BYTES_MAX:
            sys.exit(f"user data of {size} bytes: EC2 allows {USER_DATA_BYTES_MAX}")
    return files


def main() -> int:
    stale = [(path, text) for path, text in derived().items()
             if not path.exists() or path.read_text() != text]
    for path, text in stale:
        print(f"{path.relative_to(APPS)} is not in step: run apps/make_user_data.py"
              if "--check" in sys.argv else f"writing {path.relative_to(APPS)}")
        if "--check" not in sys.argv:
            path.write_text(text)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
