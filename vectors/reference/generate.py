#!/usr/bin/env python3
"""Makes vectors/compliance.json from the reference beside it.

    python3 vectors/reference/generate.py            writes the file
    python3 vectors/reference/generate.py --check    says whether the file is what would be written, and changes nothing
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from cases import TOPICS, foundations  # noqa: E402
from cases.entries import hexadecimal  # noqa: E402

FILE = Path(__file__).resolve().parent.parent / "compliance.json"


def main(arguments):
    if arguments not in ([], ["--check"]):
        return __doc__
    foundations.check(FILE.parent)
    entries = [hexadecimal(entry) for topic in TOPICS for entry in topic.entries()]
    text = json.dumps({"version": 1, "vectors": entries}, indent=1, ensure_ascii=False) + "\n"
    counts = f"{len(entries)} entries, {sum(entry['accept'] for entry in entries)} of them accepted"
    if arguments:
        if not FILE.exists() or FILE.read_text("utf-8") != text:
            return f"{FILE.name} is not what the reference makes: run generate.py and look at what changed"
        print(f"{FILE.name} is what the reference makes: {counts}")
    else:
        FILE.write_text(text, "utf-8")
        print(f"{FILE.name}: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
