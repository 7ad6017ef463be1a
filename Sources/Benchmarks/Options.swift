import Foundation

/// The options of the command line.
struct Options {
  /// Run only cases whose name contains this.
  var filter = ""
  var quick = false
  var list = false
  /// Whether to compare with `torch.compile`, which compiles for minutes.
  var compiles: Bool
  /// Numbers of threads to measure with, in turn; empty for the defaults of the cases.
  var threads: [Int] = []
  /// Run only the steps of this memory case in this process, and print its peak resident size.
  var oneStep: String?
  var python = ".build/peers/bin/python"
  var peers = "Sources/Benchmarks/peers"

  static let usage = """
    usage: benchmarks [--filter TEXT] [--quick] [--compile | --no-compile] [--threads N[,N...]] [--list]
                      [--python FILE] [--peers FOLDER]

    Measures this engine and others, in turns. Prints one line of JSON per case to standard output, and progress and a
    table to standard error. Exit status: 1 when a target is missed, 64 for invalid arguments.

      --filter TEXT   run only cases whose name contains TEXT
      --quick         run few repetitions, for a first look
      --compile       also compare with torch.compile (takes minutes); the default without --filter and --quick
      --threads       numbers of threads; the default is all processors and, for some cases, also one
      --list          print names and shapes only
      --python FILE   a Python with torch ('make bench-peers' creates .build/peers/bin/python)
      --peers FOLDER  the scripts that run the other libraries

    AUTOPANOPTIC_ISA=scalar|avx2|avx512 selects the instruction set.
    """

  struct UsageError: Error { let message: String }

  /// - Throws: `UsageError` for anything that `usage` does not describe.
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
          throw UsageError(message: "--threads \(text): expected positive numbers such as 1,2")
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
