import Foundation
import Tensors

/// For people.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// For programs; every line leaves at once.
func emit(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

do {
  let options = try Options(Array(CommandLine.arguments.dropFirst()))
  _ = try Backend.resolve(environment: ProcessInfo.processInfo.environment)
  let suites = [networkSuite(options), productSuite(), convolutionSuite(), depthwiseSuite()]
  let cases = suites.joined().filter { options.filter.isEmpty || $0.name.contains(options.filter) }
  if cases.isEmpty { say("no case has '\(options.filter)' in its name") }
  if options.list {
    for item in cases { emit("\(item.name)  \(item.shape)") }
    exit(0)
  }
  exit(try Report(options).run(cases) ? 0 : 1)
} catch let error as Options.UsageError {
  say("benchmarks: \(error.message)\n\(Options.usage)")
  exit(64)
} catch {
  say("benchmarks: \(error)")
  exit(70)
}
