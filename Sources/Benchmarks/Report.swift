import Foundation
import Tensors

/// Measures cases and tells what came out.
struct Report {
  private let options: Options
  private let hasPeers: Bool
  private let contest: Contest

  init(_ options: Options) {
    self.options = options
    hasPeers = FileManager.default.isExecutableFile(atPath: options.python)
    let peers = Peers(python: hasPeers ? options.python : nil, folder: options.peers)
    contest = Contest(peers: peers, isQuick: options.quick)
  }

  /// - Returns: whether every target was met.
  func run(_ cases: [Case]) throws -> Bool {
    say("\(Backend.instructionSet.rawValue), \(ProcessInfo.processInfo.activeProcessorCount) processors")
    if !hasPeers { say("no torch at \(options.python) ('make bench-peers' installs it): our side alone is measured") }
    var copies: [Int: Double] = [:]
    var measurements: [Measurement] = []
    for item in cases {
      for threads in options.threads(of: item) {
        if case .bytes = item.work, copies[threads] == nil {
          copies[threads] = CopyYardstick.rate(threads: threads)
          say("a copy, \(threads) thr.: \(Text.fixed(copies[threads]! * 1e-9)) GB/s read and written")
        }
        for measurement in try measure(item, threads: threads) {
          emit(measurement.line)
          say(measurement.summary(copy: copies[threads]))
          measurements.append(measurement)
        }
      }
    }
    contest.peers.end()
    let verdicts = Verdicts(measurements)
    if !verdicts.isEmpty { say("\n" + verdicts.table) }
    for line in verdicts.winners { say(line) }
    if !hasPeers { say("not compared: everything that needs torch") }
    say(verdicts.lastLine)
    return verdicts.allMet
  }

  private func measure(_ item: Case, threads: Int) throws -> [Measurement] {
    do { return try contest.measure(item, threads: threads) } catch let skip as Contest.Skip {
      say("\(item.name): left out: \(skip)")
      return []
    }
  }
}
