import Determinism

/// The members of one mapping.
struct ParameterKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: ParameterDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  /// Dictionaries take any key, and as it is written; structs and enumerations have their own.
  private var isDictionary: Bool { Key(stringValue: "\u{1}") != nil }

  private func spelling(of key: Key) -> String {
    isDictionary ? key.stringValue : ParameterNames.fileSpelling(of: key.stringValue)
  }

  private func note(_ name: String) {
    if decoder.node.user != nil { decoder.tracker.asked[decoder.pathText, default: []].insert(name) }
  }

  var allKeys: [Key] {
    let names =
      decoder.node.user?.members?.map(\.name) ?? decoder.node.standard?.objectValue?.keys.sortedByBytes() ?? []
    return names.compactMap { name in
      if isDictionary {
        note(name)
        return Key(stringValue: name)
      }
      let camel = name.split(separator: "-").enumerated()
        .map { $0.offset == 0 ? String($0.element) : $0.element.prefix(1).uppercased() + $0.element.dropFirst() }
        .joined()
      return Key(stringValue: name) ?? Key(stringValue: camel)
    }
  }

  func contains(_ key: Key) -> Bool {
    let node = child(key).node
    return node.user != nil || node.standard != nil
  }

  private func child(_ key: Key) -> ParameterDecoder {
    let name = spelling(of: key)
    note(name)
    let parent = decoder.node
    let user = parent.user?[name]
    // A dictionary the user writes replaces the default one.
    let standard = isDictionary && parent.user != nil ? nil : parent.standard?[key.stringValue]
    let node = ParameterDecoder.Node(user: user, standard: standard, location: user?.location ?? parent.location)
    return ParameterDecoder(
      node: node, tracker: decoder.tracker, codingPath: codingPath + [key], userInfo: decoder.userInfo)
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    let node = child(key).node
    if case .null? = node.value?.content { return true }
    return node.value == nil
  }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    let child = child(key)
    guard child.node.value != nil else { throw child.missing() }
    return try child.unbox(type)
  }

  func nestedContainer<N: CodingKey>(keyedBy type: N.Type, forKey key: Key) throws -> KeyedDecodingContainer<N> {
    try child(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try child(key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { child(key) }
}

/// The elements of one list.
struct ParameterListContainer: UnkeyedDecodingContainer {
  let decoder: ParameterDecoder
  let elements: [LocatedValue]
  var currentIndex = 0

  init(decoder: ParameterDecoder, elements: [LocatedValue]) {
    self.decoder = decoder
    self.elements = elements
  }

  struct Index: CodingKey {
    let intValue: Int?
    var stringValue: String { String(intValue ?? 0) }
    init(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { nil }
  }

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private mutating func next() throws -> ParameterDecoder {
    guard !isAtEnd else {
      throw PipelineError(
        .wrongType, at: decoder.node.location,
        "'\(decoder.pathText)': a list of \(elements.count) elements is too short")
    }
    defer { currentIndex += 1 }
    let element = elements[currentIndex]
    return ParameterDecoder(
      node: .init(user: element, standard: nil, location: element.location), tracker: decoder.tracker,
      codingPath: codingPath + [Index(intValue: currentIndex)], userInfo: decoder.userInfo)
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, case .null = elements[currentIndex].content else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().unbox(type) }
  mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) throws -> KeyedDecodingContainer<N> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }
}

/// One plain value.
extension ParameterDecoder: SingleValueDecodingContainer {
  private func present() throws -> LocatedValue {
    guard let value = node.value else { throw missing() }
    return value
  }

  func decodeNil() -> Bool {
    if case .null? = node.value?.content { true } else { node.value == nil }
  }

  func decode(_ type: Bool.Type) throws -> Bool {
    let value = try present()
    guard case .bool(let b) = value.content else { throw mismatch("true or false", value) }
    return b
  }

  func decode(_ type: String.Type) throws -> String {
    let value = try present()
    guard case .string(let s) = value.content else {
      throw value.written == nil ? mismatch("text", value) : mismatch("text", value, "; put it in quotes")
    }
    return s
  }

  func decode(_ type: Double.Type) throws -> Double {
    let value = try present()
    switch value.content {
    case .integer(let i): return Double(i)
    case .number(let d):
      // Neither JSON nor a key has a form for infinity and NaN.
      guard d.isFinite else { throw mismatch("a finite number", value) }
      return d
    default: throw mismatch("a number", value)
    }
  }

  func decode(_ type: Float.Type) throws -> Float {
    let wide = try decode(Double.self)
    let narrow = Float(wide)
    guard narrow.isFinite == wide.isFinite else { throw mismatch("a number of float range", try present()) }
    return narrow
  }

  private func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    let value = try present()
    guard case .integer(let i) = value.content else { throw mismatch("a whole number", value) }
    guard let exact = T(exactly: i) else { throw mismatch("a whole number in \(T.min)...\(T.max)", value) }
    return exact
  }

  func decode(_ type: Int.Type) throws -> Int { try integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try unbox(type) }
}
