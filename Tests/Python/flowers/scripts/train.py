"""Trains a classifier, an epoch at a time, and goes on where it was stopped."""
import csv
import json
import os
import pathlib
import pickle
import time

from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss

with open(os.environ["PARAMETERS"]) as file:
    parameters = json.load(file)
with open("data", newline="") as file:
    rows = [[float(value) for value in row] for row in csv.reader(file)]
x, y = [row[:-1] for row in rows], [int(row[-1]) for row in rows]

checkpoint = pathlib.Path(os.environ["CHECKPOINT_DIR"], "state.pickle")
if checkpoint.exists():
    model, losses = pickle.loads(checkpoint.read_bytes())
else:
    model = SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=parameters["rate"], random_state=parameters["seed"]
    )
    losses = []
while len(losses) < parameters["epochs"]:
    model.partial_fit(x, y, classes=[0, 1, 2])
    losses.append(log_loss(y, model.predict_proba(x), labels=[0, 1, 2]))
    unfinished = checkpoint.with_suffix(".new")
    unfinished.write_bytes(pickle.dumps((model, losses)))
    unfinished.replace(checkpoint)
    print(f"epoch {len(losses)}: loss {losses[-1]:.4f}", flush=True)
    time.sleep(parameters["pause"])

with open("curve.jsonl", "w") as file:
    for i, loss in enumerate(losses):
        file.write(json.dumps({"step": i + 1, "loss": loss}) + "\n")
pathlib.Path("model.pickle").write_bytes(pickle.dumps((model.coef_.tolist(), model.intercept_.tolist()), protocol=4))
