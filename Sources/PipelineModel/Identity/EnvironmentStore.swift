import Determinism

/// What a store knows of environments: `environments/<digest>.json` holds what an environment consisted of, so that a
/// later one can be compared with it.
package enum EnvironmentStore {
  package static let folder = "environments"
  /// The name of the trait that holds the digest of an environment.
  package static let trait = "environment"

  /// Where the contents of an environment are.
  package static func path(of digest: Digest, in store: String) -> String { "\(store)/\(folder)/\(digest.hex).json" }

  /// Nil where the store does not have them, or where they are not what they are named.
  package static func contents(of digest: Digest, in store: String) -> CanonicalValue? {
    let path = path(of: digest, in: store)
    guard Files.exists(path), let value = try? CanonicalValue(json: Files.read(path, limit: 1 << 28)),
      value.digest == digest
    else { return nil }
    return value
  }

  /// Keeps the contents of an environment.
  /// - Parameter isObserved: whether the store is only looked at, so that nothing need come of it.
  package static func keep(_ contents: CanonicalValue, in store: String, isObserved: Bool) throws {
    let path = path(of: contents.digest, in: store)
    guard !Files.exists(path) else { return }
    do {
      if !isObserved { try Files.makeFolder("\(store)/\(folder)") }
      try FileIO.publish(contents.canonicalBytes, to: path)
    } catch {
      if !isObserved { throw error }
    }
  }
}

extension [KeyDifference] {
  /// Says of an environment that changed which packages did.
  /// - Parameters:
  ///   - name: what the pipeline file calls the environment.
  ///   - store, other: where what environments consisted of is kept, of the old and of the new one.
  package mutating func describeEnvironments(
    from old: StageIdentity, to new: StageIdentity, name: String?, in store: String, _ other: String? = nil
  ) {
    guard let i = firstIndex(where: { $0.part == .environment }) else { return }
    self[i].name = name ?? ""
    func contents(_ identity: StageIdentity, _ store: String) -> CanonicalValue? {
      identity.traits[EnvironmentStore.trait].flatMap(Digest.init(hex:)).flatMap {
        EnvironmentStore.contents(of: $0, in: store)
      }
    }
    guard let before = contents(old, store), let after = contents(new, other ?? store) else { return }
    self[i].detail = EnvironmentDifference.text(from: before, to: after)
  }
}
