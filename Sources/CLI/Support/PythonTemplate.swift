import Determinism

/// What `init --template python` writes: three stages whose programs need nothing but Python.
enum PythonTemplate {
  /// Files by path.
  /// - Parameters:
  ///   - name: of the pipeline.
  ///   - found: files and folders of a Python project that lie in the folder.
  static func files(name: String, found: Set<String>) -> [(path: String, text: String)] {
    [
      ("pipeline.yaml", pipeline(name, environment(found))), ("stages/make_data.py", makeData),
      ("stages/train.py", train), ("stages/summarize.py", summarize),
    ]
  }

  /// The environment that the folder has.
  private static func environment(_ found: Set<String>) -> String {
    func declared(_ source: String) -> String {
      """
      # The packages in it and the interpreter are in the key of each stage: where one changes, 'plan' names it.
      environments:
        python: \(source)
      environment: python
      """
    }
    if found.contains(".venv") {
      let lock = ["uv.lock", "requirements.txt"].first { found.contains($0) }.map { ", lock: \($0)" } ?? ""
      return declared("{ venv: .venv\(lock) }")
    }
    if found.contains("uv.lock") { return declared("{ uv: uv.lock }") }
    let make =
      found.contains("requirements.txt")
      ? """
      # Make it with: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
      """
      : "# Make one with: python3 -m venv .venv && .venv/bin/pip install ..."
    let lock = found.contains("requirements.txt") ? ", lock: requirements.txt" : ""
    return """
      # The programs are those of the system. With an environment, its packages are in the key of each stage, too.
      \(make)
      # environments:
      #   python: { venv: .venv\(lock) }
      # environment: python
      """
  }

  private static func pipeline(_ name: String, _ environment: String) -> String {
    """
    # Three stages in Python. Run them, change something, and see what runs again:
    #
    #   autopanoptic run pipeline.yaml
    #   autopanoptic plan pipeline.yaml --set train.epochs=80
    #
    # 'autopanoptic lint pipeline.yaml' finds mistakes, 'autopanoptic lint --reference' describes all keys.
    pipeline: \(name)

    \(environment)

    # Values for the stages, as $name. A file of your project does as well: 'parameters: params.yaml'.
    parameters:
      data: { points: 400, noise: 0.8 }
      train: { epochs: 60, pause: 0 }

    stages:
      # A command works in an empty folder that holds what it needs, and nothing else. 'file:' names a file of this
      # project, which lies there where it lies here: an edit runs the stages that read it, and no others.
      data:
        uses: command
        needs: { script: "file:stages/make_data.py" }
        with:
          run: [python3, stages/make_data.py]
          parameters: $data                # the JSON file that the variable PARAMETERS names
          outputs: { points: points.csv }

      # One instance for each combination, with the values among its parameters: train[seed=0,rate=0.1] and so on.
      train:
        uses: command
        matrix:
          seed: [0, 1, 2]
          rate: [0.1, 0.5]
        needs: { script: "file:stages/train.py", points: data.points }
        resume: true                       # it saves its state in CHECKPOINT_DIR
        with:
          run: [python3, stages/train.py]
          places: { points: points.csv }   # inputs lie under their names unless this says otherwise
          parameters: $train
          outputs: { model: model.json }
          metrics: metrics.json            # for 'compare' and 'report'
          history: history.jsonl           # for 'curves'

      # A stage without the matrix takes all of them. The variable INPUTS names a file that says which is which.
      summary:
        uses: command
        needs: { script: "file:stages/summarize.py", metrics: train.metrics }
        with:
          run: [python3, stages/summarize.py]
          outputs: { table: summary.csv, figure: summary.svg }

    # autopanoptic run pipeline.yaml --profile quick
    profiles:
      quick:
        data: { points: 60 }
        train: { epochs: 10 }

    """
  }

  private static let makeData = #"""
    """Draws points of two classes."""

    import csv
    import json
    import os
    import random

    with open(os.environ["PARAMETERS"]) as file:
        parameters = json.load(file)

    random.seed(7)
    with open("points.csv", "w", newline="") as file:
        writer = csv.writer(file)
        for i in range(parameters["points"]):
            label = i % 2
            x, y = (random.gauss(2 * label - 1, parameters["noise"]) for _ in range(2))
            writer.writerow([f"{x:.6f}", f"{y:.6f}", label])

    """#

  private static let train = #"""
    """Logistic regression by stochastic gradient descent. It can be interrupted at any time."""

    import csv
    import json
    import math
    import os
    import random
    import time

    with open(os.environ["PARAMETERS"]) as file:
        parameters = json.load(file)
    with open("points.csv", newline="") as file:
        points = [(float(x), float(y), int(label)) for x, y, label in csv.reader(file)]
    training, test = points[: len(points) * 3 // 4], points[len(points) * 3 // 4 :]


    def predict(weights, x, y):
        return 1 / (1 + math.exp(-(weights[0] + weights[1] * x + weights[2] * y)))


    # The state is written to another name first: a file that is there is whole.
    checkpoint = os.path.join(os.environ["CHECKPOINT_DIR"], "state.json")
    state = {"epoch": 0, "weights": [0.0, 0.0, 0.0], "history": []}
    if os.path.exists(checkpoint):
        with open(checkpoint) as file:
            state = json.load(file)
        print("resuming at epoch", state["epoch"], flush=True)

    while state["epoch"] < parameters["epochs"]:
        weights = state["weights"]
        # A generator of its own for each epoch, so that a resumed training draws what an uninterrupted one draws.
        order = random.Random(parameters["seed"] * 100_000 + state["epoch"]).sample(training, len(training))
        loss = 0.0
        for x, y, label in order:
            probability = predict(weights, x, y)
            loss -= math.log(max(1e-12, probability if label else 1 - probability))
            step = parameters["rate"] * (label - probability) / (1 + state["epoch"])
            weights = [weights[0] + step, weights[1] + step * x, weights[2] + step * y]
        state["epoch"] += 1
        state["weights"] = weights
        state["history"].append({"step": state["epoch"], "loss": round(loss / len(training), 9)})
        with open(checkpoint + ".new", "w") as file:
            json.dump(state, file)
        os.replace(checkpoint + ".new", checkpoint)
        print(f"epoch {state['epoch']} of {parameters['epochs']}, loss {loss / len(training):.4f}", flush=True)
        time.sleep(parameters["pause"])

    weights = state["weights"]
    correct = sum((predict(weights, x, y) > 0.5) == (label == 1) for x, y, label in test)
    with open("model.json", "w") as file:
        json.dump({"weights": weights}, file)
    with open("metrics.json", "w") as file:
        json.dump({"accuracy": correct / len(test), "loss": state["history"][-1]["loss"]}, file)
    with open("history.jsonl", "w") as file:
        for line in state["history"]:
            print(json.dumps(line), file=file)

    """#

  private static let summarize = #"""
    """A table and a figure of all trainings."""

    import csv
    import json
    import os

    with open(os.environ["INPUTS"]) as file:
        inputs = json.load(file)["metrics"]
    rows = []
    for item in inputs:
        with open(item["path"]) as file:
            rows.append({**item["parameters"], **json.load(file)})

    with open("summary.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    bars = []
    for i, row in enumerate(rows):
        width = 300 * row["accuracy"]
        bars.append(f'<rect x="140" y="{20 * i + 4}" width="{width:.1f}" height="14" fill="steelblue"/>')
        text = f'seed {row["seed"]}, rate {row["rate"]}'
        bars.append(f'<text x="4" y="{20 * i + 15}" font-family="sans-serif" font-size="12">{text}</text>')
    with open("summary.svg", "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="450" height="{20 * len(rows) + 4}">')
        file.write("".join(bars) + "</svg>\n")

    """#
}
