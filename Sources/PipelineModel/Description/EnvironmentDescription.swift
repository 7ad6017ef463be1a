import Determinism

/// Where the programs and packages of a command come from, as a pipeline file says it under `environments`.
///
/// All of it is about this machine and in no key: what was found there is (`ResolvedEnvironment`).
public struct EnvironmentDescription: Sendable, Equatable {
  /// Paths are absolute.
  public enum Origin: Sendable, Equatable {
    /// What the system has: only variables are declared.
    case system
    /// A virtual environment of Python, and the lock file that it should agree with.
    case venv(folder: String, lock: String?)
    /// One that `uv sync` makes in the store from its lock file.
    case uv(lock: String, extras: [String])
    /// One that conda makes in the store from an explicit list of packages, or has made at `prefix`.
    case conda(lock: String?, prefix: String?)
    /// An image of a file system: `.sif` of Apptainer, or a bare SquashFS.
    case image(file: String)
    /// Any folder with programs in `bin`, or in itself.
    case folder(String)
  }

  public var name: String
  public var location: SourceLocation
  public var origin: Origin
  /// Set for every program.
  public var variables: [String: String]

  public init(name: String, location: SourceLocation, origin: Origin, variables: [String: String] = [:]) {
    self.name = name
    self.location = location
    self.origin = origin
    self.variables = variables
  }
}

extension EnvironmentDescription {
  /// For orders and records, which tell another process, or a later one, where to look.
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = ["name": .string(name)]
    if !variables.isEmpty { members["variables"] = .object(variables.mapValues { .string($0) }) }
    switch origin {
    case .system: break
    case .venv(let folder, let lock):
      members["venv"] = .string(folder)
      members["lock"] = lock.map { .string($0) }
    case .uv(let lock, let extras):
      members["uv"] = .string(lock)
      if !extras.isEmpty { members["extras"] = .array(extras.map { .string($0) }) }
    case .conda(let lock, let prefix):
      members["conda"] = .string(lock ?? "")
      members["prefix"] = prefix.map { .string($0) }
    case .image(let file): members["image"] = .string(file)
    case .folder(let folder): members["folder"] = .string(folder)
    }
    return .object(members)
  }

  /// Nil where the value is not what `canonical` writes.
  package init?(canonical value: CanonicalValue) {
    guard let name = value["name"]?.stringValue else { return nil }
    func text(_ member: String) -> String? { value[member]?.stringValue }
    let origin: Origin
    if let folder = text("venv") {
      origin = .venv(folder: folder, lock: text("lock"))
    } else if let lock = text("uv") {
      origin = .uv(lock: lock, extras: (value["extras"]?.arrayValue ?? []).compactMap(\.stringValue))
    } else if let lock = text("conda") {
      origin = .conda(lock: lock.isEmpty ? nil : lock, prefix: text("prefix"))
    } else if let file = text("image") {
      origin = .image(file: file)
    } else if let folder = text("folder") {
      origin = .folder(folder)
    } else {
      origin = .system
    }
    self.init(
      name: name, location: SourceLocation(file: "environment '\(name)'"), origin: origin,
      variables: (value["variables"]?.objectValue ?? [:]).compactMapValues(\.stringValue))
    guard canonical == value else { return nil }
  }
}
