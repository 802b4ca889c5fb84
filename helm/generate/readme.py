"""The table of values in the chart's README, from the comments of values.yaml that begin with `# --`."""

import pathlib
import re

CHART = pathlib.Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def rows():
    """Path, default and documentation of each documented value; a value is documented once."""
    path, doc, found = [], None, []
    for line in (CHART / "values.yaml").read_text().splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            doc = stripped[4:].strip()
        elif stripped.startswith("#") and doc:
            doc += " " + stripped[1:].strip()
        elif (match := re.match(r"^( *)([A-Za-z][\w-]*):(.*)$", line)):
            depth = len(match[1]) // 2
            path = path[:depth] + [match[2]]
            if doc:
                found.append((".".join(path), match[3].strip(), doc))
            doc = None
    return found


def table():
    lines = ["| Value | Default | What it does |", "|---|---|---|"]
    for path, default, doc in rows():
        shown = f"`{default}`" if default else "see values.yaml"
        lines.append(f"| `{path}` | {shown} | {doc.replace('|', '&#124;')} |")
    return "\n".join(lines)


def rendered():
    text = (CHART / "README.md").read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"
