import ArgumentParser
import Determinism
import Reports
import Stages

/// The machines that an estimate is made for, beside this one.
struct ClusterOptions: ParsableArguments {
  /// Numbers of nodes, such as `1,4,16`.
  struct Counts: ExpressibleByArgument {
    var list: [Int]

    init(_ list: [Int]) { self.list = list }

    init?(argument: String) {
      let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      list = parts.compactMap { Int($0) }
      guard list.count == parts.count, list.count <= 8, list.allSatisfy((1...100_000).contains) else { return nil }
    }

    var defaultValueDescription: String { list.map(String.init).joined(separator: ",") }
  }

  private static let range = 1...100_000

  @Option(help: ArgumentHelp("Numbers of nodes to plan for (default: 1,4,16).", valueName: "n,n"))
  var nodes: Counts?

  @Option(help: ArgumentHelp("Processors of a node (default: 64).", valueName: "n"))
  var cpus: Int?

  @Option(help: ArgumentHelp("Workers that share a training (default: one on each node).", valueName: "n"))
  var workers: Int?

  @Option(help: ArgumentHelp("The network of a node, in Gbit/s (default: 10).", valueName: "n"))
  var bandwidth: Double?

  func validate() throws {
    for (name, value) in [("--cpus", cpus), ("--workers", workers)] {
      guard let value, !ClusterOptions.range.contains(value) else { continue }
      throw ValidationError("\(name) \(value): expected 1 to \(ClusterOptions.range.upperBound)")
    }
    if let bandwidth, !(0.001...1e6).contains(bandwidth) {
      throw ValidationError("--bandwidth \(bandwidth): expected 0.001 to 1000000")
    }
  }

  var isGiven: Bool { nodes != nil || cpus != nil || workers != nil || bandwidth != nil }

  var machines: [PlannedMachines] {
    (nodes?.list ?? [1, 4, 16]).map {
      PlannedMachines(nodes: $0, processors: cpus ?? 64, workers: workers, bandwidth: (bandwidth ?? 10) * 1e9 / 8)
    }
  }
}

/// Plans side by side.
struct ClusterTable {
  let plans: [MachinePlan]

  func print() {
    guard let machines = plans.first?.machines else { return }
    var table = TextTable(
      [("stage", .left)] + plans.map { (Units.count($0.machines.nodes, "node"), .right) })
    for (i, stage) in plans[0].stages.enumerated() where stage.seconds > 0 {
      table.add([stage.name] + plans.map { Units.longDuration($0.stages[i].seconds) })
    }
    table.add(["total"] + plans.map { Units.longDuration($0.seconds) })
    table.add(["core-hours"] + plans.map { Units.count($0.coreHours) })
    table.add(["memory of a node"] + plans.map { Units.bytes($0.memory) })
    Output.line("")
    Output.write(table.text, to: 1)
    Output.line("")
    Output.line(
      "nodes of \(Units.count(machines.processors, "processor")) as fast as this machine's, \((machines.bandwidth * 8e-9).text(digits: 1)) Gbit/s; "
        + "up to \(Units.count(plans.map(\.machines.workers).max() ?? 1, "worker")) a training; one stage after the other"
    )
  }
}

extension MachinePlan {
  var json: CanonicalValue {
    [
      "nodes": .integer(machines.nodes), "cpus": .integer(machines.processors), "workers": .integer(machines.workers),
      "bandwidth": .measure(machines.bandwidth * 8e-9), "seconds": .measure(seconds),
      "core-hours": .measure(coreHours), "memory": .integer(memory),
      "stages": .array(
        stages.map { stage in
          [
            "name": .string(stage.name), "seconds": .measure(stage.seconds), "nodes": .integer(stage.nodes),
            "memory": .integer(stage.memory),
          ]
        }),
    ]
  }
}
