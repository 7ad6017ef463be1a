import Determinism

/// Builds a stage's parameters from what the user wrote, strictly: a key that nothing asks for, a value of the wrong
/// type and a number out of range are errors at their place. What the user left out comes from the defaults.
///
/// A mapping that stands for a struct is completed member by member; lists, dictionaries and enumerations that the
/// user writes replace the default as a whole.
struct ParameterDecoder: Decoder {
  let node: Node
  let tracker: Tracker
  var codingPath: [any CodingKey]
  let userInfo: [CodingUserInfoKey: Any]

  /// What the user wrote at one path, and the default there.
  struct Node {
    var user: LocatedValue?
    var standard: CanonicalValue?
    /// Where to point when the user wrote nothing here.
    var location: SourceLocation

    /// The value that counts.
    var value: LocatedValue? { user ?? standard.map { LocatedValue(plain: $0, at: location) } }
  }

  /// Which keys were asked for, by the path of the mapping.
  final class Tracker {
    var asked: [String: Set<String>] = [:]
    var objects: [(path: String, value: LocatedValue)] = []
  }

  /// - Parameter userInfo: what the decoder is told.
  static func decode<T: Decodable>(
    _ type: T.Type, from value: LocatedValue, defaults: CanonicalValue,
    userInfo: [CodingUserInfoKey: any Sendable] = [:]
  ) throws -> T {
    try value.refuseTwins()
    let tracker = Tracker()
    let node = Node(user: value, standard: defaults, location: value.location)
    let decoder = ParameterDecoder(node: node, tracker: tracker, codingPath: [], userInfo: userInfo)
    let result: T
    do {
      result = try decoder.unbox(type)
    } catch let error as DecodingError {
      throw PipelineError(.badValue, at: value.location, error.plainText)
    }
    try tracker.refuseUnknownKeys()
    return result
  }

  /// The names of all parameters, also of those that have no default, as pipeline files spell them.
  static func names<T: Decodable>(
    of type: T.Type, defaults: CanonicalValue, userInfo: [CodingUserInfoKey: any Sendable] = [:]
  ) -> [String] {
    let tracker = Tracker()
    let place = SourceLocation(file: "")
    let node = Node(user: LocatedValue(.object([]), at: place), standard: defaults, location: place)
    // What else it needs to be told is not known here; the names are asked for in any case.
    _ = try? ParameterDecoder(node: node, tracker: tracker, codingPath: [], userInfo: userInfo).unbox(type)
    return (tracker.asked[""] ?? []).sortedByBytes()
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let value = node.value else { throw missing() }
    guard value.members != nil else { throw mismatch("a mapping", value) }
    if let user = node.user { tracker.objects.append((pathText, user)) }
    return KeyedDecodingContainer(ParameterKeyedContainer<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let value = node.value else { throw missing() }
    guard case .array(let elements) = value.content else { throw mismatch("a list", value) }
    return ParameterListContainer(decoder: self, elements: elements)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  /// The path for messages: `optimizer.base-lr`.
  var pathText: String {
    // Most parameters are members of the outermost mapping.
    if codingPath.isEmpty { return "" }
    return codingPath.map { $0.intValue.map { "[\($0)]" } ?? ParameterNames.fileSpelling(of: $0.stringValue) }
      .joined(separator: ".").replacing(".[", with: "[")
  }

  /// - Parameter advice: what to do.
  func mismatch(_ expected: String, _ found: LocatedValue, _ advice: String = "") -> PipelineError {
    let subject = codingPath.isEmpty ? "parameters" : "'\(pathText)'"
    return PipelineError(
      .wrongType, at: found.location, "\(subject): expected \(expected), found \(found.kindDescription)\(advice)")
  }

  func missing() -> PipelineError {
    PipelineError(.missingKey, at: node.location, "missing parameter '\(pathText)'")
  }

  func unbox<T: Decodable>(_ type: T.Type) throws -> T {
    if let renamed = type as? any HasFormerNames.Type, let user = node.user {
      try renamed.refuseFormerNames(in: user, path: pathText)
    }
    // Raw values of enumerations: name the possible ones.
    if let names = caseNames(of: type), let value = node.value {
      guard let text = value.stringValue else { throw mismatch("one of \(names.joined(separator: ", "))", value) }
      if !names.contains(text) {
        let hint = Suggestion.text(for: text, among: names)
        throw PipelineError(.badValue, at: value.location, "'\(pathText)': unknown value '\(text)'\(hint)")
      }
    }
    if type == CanonicalValue.self, let value = node.value { return value.asWritten as! T }
    if type == FreeParameters.self, let value = node.value {
      guard let members = value.plain.objectValue else { throw mismatch("a mapping", value) }
      return FreeParameters(members) as! T
    }
    return try T(from: self)
  }

  private func caseNames<T>(of type: T.Type) -> [String]? {
    func names<C: CaseIterable & RawRepresentable>(_: C.Type) -> [String]? {
      let raw = C.allCases.compactMap { $0.rawValue as? String }
      return raw.count == C.allCases.count ? raw : nil
    }
    guard let cases = type as? any (CaseIterable & RawRepresentable).Type else { return nil }
    return names(cases)
  }
}

extension ParameterDecoder.Tracker {
  func refuseUnknownKeys() throws {
    for object in objects {
      let known = asked[object.path] ?? []
      for member in object.value.members ?? [] where !known.contains(member.name) {
        let hint = Suggestion.text(for: member.name, among: Array(known))
        throw PipelineError(.unknownKey, at: member.nameLocation, "unknown parameter '\(member.name)'\(hint)")
      }
    }
  }
}

extension DecodingError {
  /// The message without Foundation's wrapping.
  public var plainText: String {
    switch self {
    case .typeMismatch(_, let c), .valueNotFound(_, let c), .keyNotFound(_, let c), .dataCorrupted(let c):
      let path = c.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
      return path.isEmpty ? c.debugDescription : "\(path): \(c.debugDescription)"
    @unknown default: return "\(self)"
    }
  }
}
