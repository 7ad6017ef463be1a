import csv
import json
import os

from sklearn.datasets import make_classification

with open(os.environ["PARAMETERS"]) as file:
    parameters = json.load(file)
x, y = make_classification(
    n_samples=parameters["samples"], n_features=parameters["features"], n_informative=4, n_classes=3, random_state=7
)
for name, rows in [("train.csv", slice(0, 200)), ("test.csv", slice(200, None))]:
    with open(name, "w", newline="") as file:
        writer = csv.writer(file)
        for features, label in zip(x[rows], y[rows]):
            writer.writerow([*(f"{value:.6f}" for value in features), label])
