import Determinism
import Foundation

/// A Python child that runs the other side: a line of JSON asks, a line of JSON answers.
final class Peer {
  struct Reply: Decodable {
    /// Seconds, or bytes where the case measures memory.
    var times: [Double]? = nil
    /// Which of its ways the peer found fastest, and other remarks.
    var note: String? = nil
    /// The peak resident size of the child since it prepared the case, in bytes.
    var peak: Double? = nil
    /// What `Run.value` must be.
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

  /// Closing its input ends the child.
  deinit {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Readies a case and warms it up.
  func prepare(_ request: CanonicalValue, threads: Int) throws -> Reply {
    try ask(["case": request, "threads": .integer(threads), "measure": false, "seconds": 0])
  }

  /// Runs a case for a span of time, at least once.
  func run(_ request: CanonicalValue, threads: Int, seconds: Double) throws -> Reply {
    try ask(["case": request, "threads": .integer(threads), "measure": true, "seconds": .number(seconds)])
  }

  /// Drops what has been prepared.
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
      if more.isEmpty { throw Failure(description: "\(script) ended before it answered") }
      unread += more
    }
  }
}

/// The children of this run, started when first needed.
final class Peers {
  /// Nil where no Python with torch is at hand.
  private let python: String?
  private let folder: String
  private var running: [String: Peer] = [:]

  init(python: String?, folder: String) {
    self.python = python
    self.folder = folder
  }

  /// One child for every opponent, so that none holds memory of another's. Nil where there are no peers at all.
  func peer(_ script: String, of opponent: String) throws -> Peer? {
    guard let python else { return nil }
    let name = "\(script) \(opponent)"
    if let peer = running[name] { return peer }
    let peer = try Peer(python: python, script: "\(folder)/\(script)")
    running[name] = peer
    return peer
  }

  /// Ends all children, so that what they hold is free for others.
  func end() { running = [:] }
}
