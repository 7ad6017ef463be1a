import Determinism
import PipelineModel

/// Digests of environments by the fingerprints of their files, in an append-only file of the store: an environment that
/// nobody touched is not read again.
struct EnvironmentMemory {
  private let path: String
  private let host: StageHost
  private var known: [Digest: Digest] = [:]

  init(_ host: StageHost) throws {
    self.host = host
    path = "\(host.store)/sources/\(Digest(of: "environments").hex)"
    guard Files.exists(path) else { return }
    for line in try Files.read(path).split(separator: 0x0A) {
      let fields = line.split(separator: 0x20)
      guard fields.count == 3, fields[2].elementsEqual("/".utf8), let fingerprint = Digest(hexDigits: fields[0]),
        let digest = Digest(hexDigits: fields[1])
      else { continue }
      known[fingerprint] = digest
    }
  }

  /// The contents of an environment with this fingerprint.
  func contents(_ fingerprint: Digest) -> CanonicalValue? {
    known[fingerprint].flatMap { EnvironmentStore.contents(of: $0, in: host.store) }
  }

  /// - Parameters:
  ///   - changed: when a file of it changed last, in nanoseconds since 1970. What changed within two seconds may change
  ///     again without a change of its times, and is not remembered.
  ///   - seen: when it was looked at.
  func remember(_ contents: CanonicalValue, _ fingerprint: Digest, changed: Int128, seen: Int) throws {
    try EnvironmentStore.keep(contents, in: host.store, isObserved: host.isObserved)
    guard changed < Int128(seen) - 2_000_000_000 else { return }
    do {
      try Files.write(Array("\n\(fingerprint.hex) \(contents.digest.hex) /\n".utf8), to: path, append: true)
    } catch {
      if !host.isObserved { throw error }
    }
  }
}
