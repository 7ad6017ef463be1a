import json
import os
import statistics

with open(os.environ["INPUTS"]) as file:
    trainings = json.load(file)["metrics"]
by_rate = {}
for training in trainings:
    with open(training["path"]) as file:
        by_rate.setdefault(str(training["parameters"]["rate"]), []).append(json.load(file)["accuracy"])
with open("metrics.json", "w") as file:
    json.dump({"accuracy": {rate: round(statistics.mean(values), 6) for rate, values in by_rate.items()}}, file)
