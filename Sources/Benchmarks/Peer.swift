import Determinism
import Foundation

/// A Python child process that runs another library. Requests and replies are lines of JSON.
final class Peer {
  struct Reply: Decodable {
    /// Seconds, or bytes where the case measures memory.
    var times: [Double]? = nil
    /// Which of its variants the peer found fastest, and other remarks.
    var note: String? = nil
    /// The peak resident size of the child since it prepared the case, in bytes.
    var peak: Double? = nil
    /// The value that `Run.value` must equal.
    var value: Double? = nil
    var error: String? = nil
  }

  struct Failure: Error, CustomStringConvertible { let description: String }

  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  private let script: String
  private var unread = Data()

  init(python: String, script: String) throws {
    self.script = script
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [script]
    process.standardInput = requests
    process.standardOutput = replies
    try process.run()
  }

  /// Ends the child by closing its input.
  deinit {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Prepares a case and warms it up.
  func prepare(_ request: CanonicalValue, threads: Int) throws -> Reply {
    try ask(["case": request, "threads": .integer(threads), "measure": false, "seconds": 0])
  }

  /// Runs a case repeatedly for some seconds, at least once.
  func run(_ request: CanonicalValue, threads: Int, seconds: Double) throws -> Reply {
    try ask(["case": request, "threads": .integer(threads), "measure": true, "seconds": .number(seconds)])
  }

  /// Discards the prepared cases.
  func forget() throws { _ = try ask(["forget": true]) }

  private func ask(_ question: CanonicalValue) throws -> Reply {
    try requests.fileHandleForWriting.write(contentsOf: Data((question.canonicalText + "\n").utf8))
    let reply = try JSONDecoder().decode(Reply.self, from: line())
    if let error = reply.error { throw Failure(description: "\(script): \(error)") }
    return reply
  }

  private func line() throws -> Data {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        defer { unread = Data(unread[(end + 1)...]) }
        return Data(unread[..<end])
      }
      let more = replies.fileHandleForReading.availableData
      if more.isEmpty { throw Failure(description: "\(script) ended without a reply") }
      unread += more
    }
  }
}

/// The child processes of this run, started on demand.
final class Peers {
  /// Nil where no Python with torch is available.
  private let python: String?
  private let folder: String
  private var running: [String: Peer] = [:]

  init(python: String?, folder: String) {
    self.python = python
    self.folder = folder
  }

  /// The child for a baseline. Each baseline has its own, so that memory is not shared. Nil where no Python with torch is
  /// available.
  func peer(_ script: String, of baseline: String) throws -> Peer? {
    guard let python else { return nil }
    let name = "\(script) \(baseline)"
    if let peer = running[name] { return peer }
    let peer = try Peer(python: python, script: "\(folder)/\(script)")
    running[name] = peer
    return peer
  }

  /// Ends all children, to free their memory.
  func end() { running = [:] }
}
