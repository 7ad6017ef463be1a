import Foundation

/// Runs processes that are measured as a whole.
enum RunnerProcess {
  static func seconds(_ kind: String, _ count: Int, _ store: String) throws -> Double {
    try Comparison.time { _ = try bytes(kind, count, store) }
  }

  /// The peak memory in bytes that the process prints.
  static func bytes(_ kind: String, _ count: Int, _ store: String) throws -> Double {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--runner-child", kind, String(count), store]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0, let bytes = Double(text.filter { !$0.isWhitespace }) else {
      throw Comparison.Failure(description: "\(kind) \(count): the measured process failed")
    }
    return bytes
  }

  /// Runs a system tool to its end.
  static func tool(_ arguments: String...) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try? process.run()
    process.waitUntilExit()
  }

  /// The path of an HDF5 artifact below a folder.
  static func largest(_ folder: String) -> String {
    let names = (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String]) ?? []
    return folder + "/" + (names.first { $0.hasSuffix(".h5") } ?? "none")
  }
}
