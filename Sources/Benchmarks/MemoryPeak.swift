import Foundation

/// The memory of a training step compared with the peer's: the peak resident size of a process that does nothing else.
struct Memory {
  /// The name of the derived case, such as `network/memory`.
  let name: String
  /// The steps, which run in a separate process started with `--one-step`.
  let steps: () throws -> Void

  /// The peak resident size of this process so far, in bytes: `VmHWM` of Linux.
  static func peak() throws -> Double {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    guard let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) }) else {
      throw Comparison.Failure(description: "/proc/self/status has no line VmHWM")
    }
    return kibibytes * 1024
  }

  /// Runs `--one-step` and reads what it prints.
  func measured(threads: Int) throws -> Double {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--one-step", name, "--threads", String(threads)]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, let bytes = Double(text.filter { !$0.isWhitespace }) else {
      throw Comparison.Failure(description: "\(name): the measured process failed")
    }
    return bytes
  }
}
