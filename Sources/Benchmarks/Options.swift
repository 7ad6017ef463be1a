import Foundation

/// What the command line asked for.
struct Options {
  /// Only cases whose name contains this.
  var filter = ""
  var quick = false
  var list = false
  /// Whether `torch.compile` takes part; it compiles for minutes.
  var compiles: Bool
  /// Numbers of threads to measure with, one after the other; empty leaves it to the cases.
  var threads: [Int] = []
  /// Only the steps of this memory case, in this process; prints its peak resident size.
  var oneStep: String?
  var python = ".build/peers/bin/python"
  var peers = "Sources/Benchmarks/peers"

  static let usage = """
    usage: benchmarks [--filter TEXT] [--quick] [--compile | --no-compile] [--threads N[,N...]] [--list]
                      [--python FILE] [--peers FOLDER]

    Measures this engine beside others, in turns. Prints one line of JSON a case to standard output, progress and a
    table to standard error. Exit status: 1 where a target is missed, 64 for arguments that are not understood.

      --filter TEXT   only cases whose name contains TEXT
      --quick         few repetitions, for a first look
      --compile       torch.compile takes part (minutes of compiling); the default without --filter and --quick
      --threads       numbers of threads; the default is all processors and, for some cases, also one
      --list          names and shapes only
      --python FILE   a Python that has torch ('make bench-peers' makes .build/peers/bin/python)
      --peers FOLDER  the scripts of the other sides

    AUTOPANOPTIC_ISA=scalar|avx2|avx512 picks the instruction set.
    """

  struct UsageError: Error { let message: String }

  /// - Throws: `UsageError` for anything that `usage` does not say.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    var compiles: Bool?
    func value(of option: String) throws -> String {
      guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
      return value
    }
    self.compiles = false
    while let argument = rest.popFirst() {
      switch argument {
      case "--quick": quick = true
      case "--list": list = true
      case "--compile": compiles = true
      case "--no-compile": compiles = false
      case "--filter": filter = try value(of: argument)
      case "--one-step": oneStep = try value(of: argument)
      case "--python": python = try value(of: argument)
      case "--peers": peers = try value(of: argument)
      case "--threads":
        let text = try value(of: argument)
        threads = text.split(separator: ",").compactMap { Int($0) }.filter { $0 >= 1 }
        if threads.isEmpty || threads.count != text.split(separator: ",").count {
          throw UsageError(message: "--threads \(text): expected numbers such as 1,2")
        }
      default: throw UsageError(message: "unknown argument '\(argument)'")
      }
    }
    self.compiles = compiles ?? (filter.isEmpty && !quick)
  }

  func threads(of item: Case) -> [Int] {
    if !threads.isEmpty { return threads }
    let processors = ProcessInfo.processInfo.activeProcessorCount
    return item.threads == .oneAndMost && processors > 1 ? [1, processors] : [processors]
  }
}
