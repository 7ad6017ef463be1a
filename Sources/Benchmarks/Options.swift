import Foundation

/// What the command line asked for.
struct Options {
  /// Only benchmarks whose name contains this.
  var filter = ""
  var quick = false
  var list = false
  /// Numbers of threads to measure with, one after the other.
  var threads: [Int] = []

  static let usage = """
    usage: benchmarks [--filter TEXT] [--quick] [--threads N[,N...]] [--list]

    Prints one line of JSON per measurement to standard output and a table to standard error.
    AUTOPANOPTIC_ISA=scalar|avx2|avx512 picks the instruction set.
    """

  struct UsageError: Error { let message: String }

  /// - Throws: `UsageError` for anything that `usage` does not say.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    func value(of option: String) throws -> String {
      guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value") }
      return value
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--quick": quick = true
      case "--list": list = true
      case "--filter": filter = try value(of: argument)
      case "--threads":
        let text = try value(of: argument)
        threads = text.split(separator: ",").compactMap { Int($0) }.filter { $0 >= 1 }
        if threads.isEmpty || threads.count != text.split(separator: ",").count {
          throw UsageError(message: "--threads \(text): expected numbers such as 1,2")
        }
      default: throw UsageError(message: "unknown argument '\(argument)'")
      }
    }
    if threads.isEmpty {
      let processors = ProcessInfo.processInfo.activeProcessorCount
      threads = processors == 1 ? [1] : [1, processors]
    }
  }
}

/// Whether a name is asked for; an empty filter takes all.
func matches(_ name: String, _ filter: String) -> Bool { filter.isEmpty || name.contains(filter) }
