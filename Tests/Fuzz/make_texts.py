#!/usr/bin/env python3
"""Makes the records, manifests, index lines and pipeline files of the corpus: make_texts.py FOLDER writes record/ and
yaml/ below it. Follows the documented formats, without the program's own code."""
import hashlib
import json
import pathlib
import sys

root = pathlib.Path(sys.argv[1])


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write(name, data):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


X = sha256(b"x")


def record(name, identity, outputs, elements=None, trace=None):
    key = sha256(canonical(identity))
    body = {
        "key": key, "identity": identity, "pipeline": "p", "stage": "a", "outputs": outputs,
        "sizes": {output: 12 for output in outputs}, "checksums": {output: X for output in outputs},
        "elements": elements or {}, "trace": trace or [],
        "environment": {"host": "h"}, "run": "r", "started": "2026-01-31T12:00:00Z", "seconds": 0.25,
    }
    write(f"record/{name}", b"r" + canonical({"record": body, "sha256": sha256(canonical(body))}) + b"\n")
    return key


train = {"format": 2, "kind": "train", "version": 3, "traits": {"numerics": "1"},
         "parameters": {"steps": 6, "rate": 0.1}, "inputs": {}, "seed": "7"}
key = record("plain", train, {"weights": {"kind": "json", "digest": X}}, trace=[{"step": 1, "digests": {"sum": X}}])
judge = {"format": 2, "kind": "judge", "version": 1, "traits": {}, "parameters": {},
         "inputs": {"architecture": X, "all": [X, X]}}
record("inputs", judge, {"quality": {"kind": "json", "digest": X}}, elements={"architecture": {"array": X, "index": 2}})
source = {"format": 2, "kind": "folder", "version": 1, "traits": {}, "parameters": {}, "inputs": {},
          "observed": {"train": X}}
record("source", source, {"train": {"kind": "tree", "digest": X, "external": True}})
write("record/tree", f"ttree 1\n{X} 3 a/b.txt\n{X} 12 c d\n")
done = "\t".join(["done", key, "train", "a", "2026-01-31T12:00:00Z", "250", "12", "weights", "json", X, "stored"])
failed = "\t".join(["failed", key, "picture 7 is no JPEG"])
write("record/index", "i" + "".join(f"{sha256(line.encode())[:8]}\t{line}\n\n" for line in (done, failed)))
write("record/json", 'j{"a":[1,-2.5e-3,1e30,"ä\\u00e4\\n\\"",null,true,false,{}],"b":{"c":[]}}')

write("yaml/pipeline", """pipeline: fuzz
seed: 7
profile: small
let:
  inner: { rate: 1e-3 }
  widths: [1, 2]
stages:
  first: { uses: subject, with: { steps: 3, inner: $inner, widths: $widths, mode: slow } }
  second:
    uses: subject
    needs: { one: first.out }
    with: { inner: { rate: 0.5, momentum: 0.9 }, names: { b: false }, text: "$$x" }
  each:
    uses: subject
    for-each: first.out
    needs: { one: each }
  all: { uses: subject, needs: { all: each.out } }
profiles:
  small: { let: { widths: [3] }, first: { steps: 1 } }
  other: { second: { uses: subject, text: ~ } }
""")
write("yaml/rounds", """pipeline: rounds
stages:
  start: { uses: subject }
  turn: { uses: subject, repeat: 3, needs: { one: previous.out } }
  judge: { uses: subject, repeat: turn, for-each: turn.out, needs: { one: each } }
""")
write("yaml/anchors", "pipeline: p\nlet: &a\n  x: &b [1, 2]\n  y: *b\n"
      "stages: { s: { uses: subject, with: { widths: *b } } }\n")
write("yaml/styles", "pipeline: \"p\\u00e4\"\nstages:\n  s:\n    uses: 'subject'\n    with:\n      text: |\n        a\n"
      "         b\n      steps: !!int 0x10\n  t: {uses: subject, with: {text: >-\n    folded\n    text,"
      " inner: {rate: .5}}}\n")
write("yaml/broken", "pipeline: p\nstages:\n  s: { uses: subjct, needs: { one: t.out }, with: { stps: 1 } }\n"
      "  t: { uses: subject, needs: { one: s.out } }\n...\n---\nx: 1\n")
