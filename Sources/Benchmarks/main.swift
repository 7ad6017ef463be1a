import Foundation
import Tensors

/// For people.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

/// For programs; every line leaves at once.
func emit(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

do {
  let options = try Options(Array(CommandLine.arguments.dropFirst()))
  _ = try Backend.resolve(environment: ProcessInfo.processInfo.environment)
  let suites = [machineSuite, productSuite, convolutionSuite, layerSuite]
  var measurements: [Measurement] = []
  for suite in suites {
    // A suite makes its inputs when its benchmarks are asked for.
    for benchmark in suite(options.filter) {
      if options.list {
        emit("\(benchmark.name)  \(benchmark.shape)")
        continue
      }
      for threads in options.threads {
        let measurement = Measurement(benchmark, threads: threads, quick: options.quick)
        emit(measurement.line)
        measurements.append(measurement)
      }
    }
  }
  if measurements.isEmpty && !options.list { say("no benchmark has '\(options.filter)' in its name") }
  if !measurements.isEmpty {
    say("\n\(Backend.instructionSet.rawValue), \(ProcessInfo.processInfo.activeProcessorCount) processors")
    say(Table(measurements: measurements).text)
  }
} catch let error as Options.UsageError {
  say("benchmarks: \(error.message)\n\(Options.usage)")
  exit(64)
} catch {
  say("benchmarks: \(error)")
  exit(64)
}
