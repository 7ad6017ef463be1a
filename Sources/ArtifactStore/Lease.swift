import Determinism
import Glibc
import PipelineModel
import Synchronization

/// The right to work on a key among machines whose kernels do not tell each other of locks: a file that its holder
/// renews.
///
/// The file is made by `link`, which fails where one is there, on every file system. It holds a counter, a nonce and the
/// holder. The holder counts up now and then, through a descriptor: once somebody else has the lease, that writes to a
/// file without a name. No two clocks are compared: others watch whether the counter moves, each by a clock of its own.
///
/// A holder that was thought dead, and is not, finds out by reading: before it keeps a checkpoint, and before it stores
/// results. In between two may compute the same, which costs time and nothing else: checkpoints lie in a folder for each
/// nonce, and equal results are stored once.
final class Lease: Sendable {
  /// What a file of a lease says.
  struct Content: Equatable {
    var counter: UInt64
    var nonce: String
    /// Nil where it is not readable.
    var holder: ProcessIdentity?
    /// As written.
    var holderText: String

    init(counter: UInt64, nonce: String, holder: ProcessIdentity) {
      (self.counter, self.nonce, self.holder, holderText) = (counter, nonce, holder, holder.text)
    }

    /// The counter has a fixed width, so that it is renewed in place.
    var bytes: [UInt8] { Array("\(counter.hexadecimal) \(nonce) \(holderText)\n".utf8) }

    init(bytes: [UInt8]) {
      let words = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self).split(separator: " ").map(String.init)
      counter = words.first.flatMap { UInt64($0, radix: 16) } ?? 0
      nonce = words.count > 1 ? words[1] : Digest(of: bytes).hex
      holderText = words.count > 2 ? words[2] : "unknown"
      holder = ProcessIdentity(text: holderText)
    }
  }

  let path: String
  let nonce: String
  private let file: Descriptor
  private let counter = Mutex<UInt64>(1)

  private init(path: String, nonce: String, file: Descriptor) {
    (self.path, self.nonce, self.file) = (path, nonce, file)
  }

  /// Takes the lease where nobody holds it.
  /// - Returns: nil where somebody does.
  static func create(_ path: String, for holder: ProcessIdentity) throws -> Lease? {
    let nonce = UInt64.random(in: 0 ... .max).hexadecimal
    let draft = "\(path).\(nonce)"
    let content = Content(counter: 1, nonce: nonce, holder: holder).bytes
    try Files.write(content, to: draft)
    defer { unlink(draft) }
    let file = try Descriptor.open(draft, O_RDWR | O_NOFOLLOW, "renew")
    let isMine: Bool
    do {
      isMine = try Files.linkIfFree(draft, to: path)
    } catch {
      return try createWithoutLink(path, nonce: nonce, content)
    }
    return isMine ? Lease(path: path, nonce: nonce, file: file) : nil
  }

  /// On file systems without links: others may see the file before its content, and watch it like any other.
  private static func createWithoutLink(_ path: String, nonce: String, _ content: [UInt8]) throws -> Lease? {
    let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard number >= 0 else {
      if errno == EEXIST { return nil }
      throw Files.failure("make", path)
    }
    let file = Descriptor(number)
    let code = content.withUnsafeBytes { FileIO.writeAll($0, to: number) }
    guard code == 0 else { throw Files.failure("write", path, code) }
    return Lease(path: path, nonce: nonce, file: file)
  }

  /// Reads the file of a lease; nil where there is none.
  static func read(_ path: String) throws -> Content? {
    let number = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
    guard number >= 0 else {
      // A file that was replaced on its server is gone.
      if errno == ENOENT || errno == ESTALE { return nil }
      throw Files.failure("read", path)
    }
    let file = Descriptor(number)
    var bytes = [UInt8](repeating: 0, count: 1024)
    let n = FileIO.retrying { Glibc.read(file.number, &bytes, bytes.count) }
    if n < 0, errno == ESTALE { return nil }
    guard n >= 0 else { throw Files.failure("read", path) }
    return Content(bytes: Array(bytes.prefix(n)))
  }

  /// Counts up. What fails here is found by `isHeld`.
  func renew() {
    counter.withLock { counter in
      counter += 1
      let digits = Array(counter.hexadecimal.utf8)
      _ = FileIO.retrying { pwrite(file.number, digits, digits.count, 0) }
      // To the server: other machines don't see what waits in this one's memory.
      fdatasync(file.number)
    }
  }

  /// Whether nobody has taken it away.
  var isHeld: Bool { (try? Lease.read(path))?.nonce == nonce }

  /// Who holds it now.
  var successor: String {
    guard let content = try? Lease.read(path), content.nonce != nonce else { return "nobody now" }
    return content.holder?.description ?? "somebody else"
  }

  /// Takes away a lease that counts for nothing any more, if it still is the same.
  static func remove(_ path: String, nonce: String) throws {
    let aside = "\(path).\(UInt64.random(in: 0 ... .max).hexadecimal)"
    guard Glibc.rename(path, aside) == 0 else {
      if errno == ENOENT || errno == ESTALE { return }
      throw Files.failure("remove", path)
    }
    defer { unlink(aside) }
    // Somebody else may have replaced it meanwhile: that one is put back. Should a third have come in between, the
    // second finds out before it stores anything.
    if let content = try read(aside), content.nonce != nonce { _ = try Files.renameIfFree(aside, to: path) }
  }

  /// Gives it back.
  func release() { if isHeld { try? Lease.remove(path, nonce: nonce) } }
}
