import Foundation
import Tensors

/// Measures cases and prints the results.
struct Report {
  private let options: Options
  private let hasPeers: Bool
  private let comparison: Comparison

  init(_ options: Options) {
    self.options = options
    hasPeers = FileManager.default.isExecutableFile(atPath: options.python)
    let peers = Peers(python: hasPeers ? options.python : nil, folder: options.peers)
    comparison = Comparison(peers: peers, isQuick: options.quick)
  }

  /// - Returns: whether every target was met.
  func run(_ cases: [Case]) throws -> Bool {
    say("\(Backend.instructionSet.rawValue), \(ProcessInfo.processInfo.activeProcessorCount) processors")
    if !hasPeers { say("no torch at \(options.python) ('make bench-peers' installs it): only this engine is measured") }
    var copies: [Int: Double] = [:]
    var measurements: [Measurement] = []
    for item in cases {
      for threads in options.threads(of: item) {
        if case .bytes = item.work, copies[threads] == nil {
          copies[threads] = CopyBandwidth.rate(threads: threads)
          say("a copy, \(threads) thr.: \(Text.fixed(copies[threads]! * 1e-9)) GB/s read and written")
        }
        for measurement in try measure(item, threads: threads) {
          emit(measurement.line)
          say(measurement.summary(copy: copies[threads]))
          measurements.append(measurement)
        }
      }
    }
    comparison.peers.end()
    let targets = TargetTable(measurements)
    if !targets.isEmpty { say("\n" + targets.table) }
    for line in targets.winners { say(line) }
    if !hasPeers { say("not compared: all cases that need torch") }
    say(targets.lastLine)
    return targets.allMet
  }

  private func measure(_ item: Case, threads: Int) throws -> [Measurement] {
    do { return try comparison.measure(item, threads: threads) } catch let skip as Comparison.Skip {
      say("\(item.name): skipped: \(skip)")
      return []
    }
  }
}
