import Determinism
import Foundation
import Tensors

/// Prints a line for people, to standard error.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// Prints a line for programs, to standard output, unbuffered.
func emit(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

do {
  if CommandLine.arguments.dropFirst().first == "--runner-child" {
    try RunnerCases.child(Array(CommandLine.arguments.dropFirst(2)))
    exit(0)
  }
  if CommandLine.arguments.dropFirst().first == "--openblas-child" {
    OpenBLASCore.child()
    exit(0)
  }
  if CommandLine.arguments.dropFirst().first == "--exchange" {
    try ExchangeMeasurement.run(values: CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 5_000_000)
    exit(0)
  }
  let options = try Options(Array(CommandLine.arguments.dropFirst()))
  _ = try Backend.resolve(environment: ProcessInfo.processInfo.environment)
  let suites = [
    networkSuite(options), productSuite(), convolutionSuite(), depthwiseSuite(), layerSuite(), panopticSuite(),
    loaderSuite(options), qualitySuite(), runnerSuite(options),
  ]
  if let name = options.oneStep {
    guard let memory = suites.joined().compactMap(\.memory).first(where: { $0.name == name }) else {
      throw Options.UsageError(message: "--one-step \(name): no such case")
    }
    try Parallel.withThreads(options.threads.first ?? 1) { try memory.steps() }
    emit(String(try Memory.peak()))
    exit(0)
  }
  let cases = suites.joined().filter { options.filter.isEmpty || $0.name.contains(options.filter) }
  if cases.isEmpty { say("no case name contains '\(options.filter)'") }
  if options.list {
    for item in cases { emit("\(item.name)  \(item.shape)") }
    exit(0)
  }
  let allMet = try Report(options).run(cases)
  Scratch.remove()
  exit(allMet ? 0 : 1)
} catch let error as Options.UsageError {
  say("benchmarks: \(error.message)\n\(Options.usage)")
  exit(64)
} catch {
  Scratch.remove()
  say("benchmarks: \(error)")
  exit(70)
}
