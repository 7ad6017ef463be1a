"""What the sources consist of: targets and what they depend on, folders inside them and what those use.

A folder uses another one of its target where it names a type or function that the other declares at file scope.
Shared by .ci/layers, which checks, and .ci/draw-layers, which draws.
"""
import collections
import json
import pathlib
import re
import subprocess

DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|final|indirect|nonisolated)\s+)*"
    r"(struct|class|enum|protocol|actor|typealias|func)\s+(\w+)", re.M)
CALL = re.compile(r"(?<![\w.])(?<!func )(\w+)\(")


def blank(text):
    """The text without comments and string contents, line by line as before; code inside strings stays."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"^\s*//.*$|(?<=\s)//.*$", "", text, flags=re.M)
    text = re.sub(r'"""(.*?)"""', lambda m: " ".join(interpolated(m.group(1))) + "\n" * m.group().count("\n"),
                  text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + " ".join(interpolated(m.group())) + '"', text)


def interpolated(string):
    """The code in `\\(...)` of a string, as far as it has no parentheses in parentheses."""
    return re.findall(r"\\\(((?:[^()]|\([^()]*\))*)\)", string)


def targets(root="."):
    """Targets of the package by name, as `swift package describe` tells them, without tests and system libraries."""
    described = subprocess.run(
        ["swift", "package", "--package-path", str(root), "describe", "--type", "json"], check=True,
        stdout=subprocess.PIPE)
    found = {t["name"]: t for t in json.loads(described.stdout)["targets"]}
    return {
        name: t for name, t in found.items()
        if t["type"] not in ("test", "system-target") and not t["path"].startswith("Tests/")
    }


def dependencies(targets, name):
    return sorted(d for d in targets[name].get("target_dependencies", []) if d in targets)


def folder_uses(path):
    """Of one target: its folders, and for each pair of them the names that the first uses of the second.

    Files that lie in no folder are the folder "".
    """
    path = pathlib.Path(path)
    texts = {}
    for file in sorted(path.rglob("*.swift")):
        texts[file] = blank(file.read_text(encoding="utf-8"))
    def folder(file):
        parts = file.relative_to(path).parts
        return parts[0] if len(parts) > 1 else ""
    types, functions = collections.defaultdict(set), collections.defaultdict(set)
    for file, text in texts.items():
        for keyword, name in DECLARATION.findall(text):
            (functions if keyword == "func" else types)[name].add(folder(file))
    uses = collections.defaultdict(set)
    for file, text in texts.items():
        for homes, words in ((types, re.findall(r"\w+", text)), (functions, CALL.findall(text))):
            for word in set(words) & set(homes):
                # What several folders declare tells nothing.
                if len(homes[word]) == 1 and homes[word] != {folder(file)}:
                    uses[folder(file), *homes[word]].add(word)
    return sorted({folder(f) for f in texts}), dict(uses)


def cycles(nodes, arrows):
    """Groups of nodes that lead to each other, each sorted; nodes alone are left out."""
    below = collections.defaultdict(set)
    for a, b in arrows:
        below[a].add(b)
    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for n in below[todo.pop()]:
                if n not in seen:
                    seen.add(n)
                    todo.append(n)
        return seen
    reach = {n: reached(n) for n in nodes}
    groups = {tuple(sorted(m for m in reach[n] if n in reach[m])) for n in nodes if n in reach[n]}
    return sorted(groups)
