import ArgumentParser
import Determinism
import Pipelines

struct Bisect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the first stage where two runs diverge, and inside it the first step and tensor.",
    discussion: """
      A side is a run of the store ('autopanoptic log' lists them) or the folder of a store, which stands for the newest
      record of every stage. Stages are matched by name. Exits with 2 where results differ.

      EXAMPLES:
        autopanoptic bisect 20260131-120000.250-ab12cd 20260201-093000.125-77ff01
        autopanoptic bisect artifacts /mnt/other/artifacts
        autopanoptic bisect 77ff01 20260131-120000.250-ab12cd --other /mnt/other/artifacts --json
      """)

  @Argument(help: "A run, or the folder of a store.")
  var first: String

  @Argument(help: "The other run or store.")
  var second: String

  @Option(help: ArgumentHelp("The store of the second run (default: the same).", valueName: "dir"))
  var other: String?

  @Flag(help: "Show every stage whose results differ, not only the first.")
  var all = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions
  @OptionGroup var machine: MachineOptions

  func run() throws {
    try machine.apply()
    let report = try Bisection(side(first, store: stores.store), side(second, store: other ?? stores.store)).report()
    if json {
      Output.json(report.canonical)
    } else {
      print(report)
    }
    if !report.isEqual { throw ExitCode(ExitCodes.difference) }
  }

  private func side(_ name: String, store: String) throws -> Bisection.Side {
    if FileIO.kind(name + "/format") == .file {
      return try Bisection.Side(store: StoreOptions.openExisting(name))
    }
    return try Bisection.Side(run: name, of: StoreOptions.openExisting(store))
  }

  private func print(_ report: Bisection.Report) {
    for (names, place) in [(report.onlyInFirst, first), (report.onlyInSecond, second)] where !names.isEmpty {
      let more = names.count > 8 ? ", ... (\(names.count))" : ""
      Output.line("only in \(place): \(names.prefix(8).joined(separator: ", "))\(more)")
    }
    guard let origin = report.origin else {
      Output.line("\(Units.count(report.compared, "stage")) compared: all results are equal")
      return
    }
    Output.line("the runs diverge at stage '\(origin.stage)'")
    show(origin)
    let rest = report.partings.filter { $0.stage != origin.stage }
    if all {
      for parting in rest {
        Output.line("'\(parting.stage)' differs" + (parting.isOrigin ? "" : " too, by what it reads"))
        show(parting)
      }
    } else if !rest.isEmpty {
      Output.line("\(Units.count(rest.count, "stage")) after it differ as well; --all shows them")
    }
  }

  private func show(_ parting: Bisection.Parting) {
    for difference in parting.differences { Output.line("  \(difference)") }
    if !parting.inherited.isEmpty { Output.line("  reads other inputs: \(parting.inherited.joined(separator: ", "))") }
    if parting.differences.isEmpty, parting.inherited.isEmpty {
      Output.line("  with equal parameters, seed, versions and inputs: it did not reproduce")
    }
    if let trace = parting.trace { Output.line("  first at \(trace)") }
    for change in parting.changes {
      Output.line("  output '\(change.output)': \(change.recorded.digest.short) against \(change.found.digest.short)")
      for place in change.differences { Output.line("    \(place)") }
    }
  }
}
