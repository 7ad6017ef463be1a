import Determinism

/// The content of the pickle of a state dictionary: plain values, and references to tensors stored beside it.
///
/// A pickle is a program for a stack machine, and Python's own reader lets it call any function. This one implements only
/// the instructions that a state dictionary needs and calls nothing: a Python name is a plain value, and "calling" one of
/// the few known names makes a dictionary or the description of a tensor. No file can cause deep recursion, since
/// containers refer to each other by index. Values take 16 bytes, and their number is bounded by the length of the
/// pickle, since an instruction of one byte can make one.
struct Pickle {
  enum Value {
    case nothing
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(Part)
    /// Part of `pool`.
    case tuple(Part)
    /// The elements of lists are discarded: no tensor of a state dictionary is in one.
    case list
    /// Index into `containers`.
    case dictionary(Int)
    /// A Python name, `module.name`: index into `globals`.
    case global(Int)
    /// Index into `storages`.
    case storage(Int)
    /// Index into `tensors`.
    case tensor(Int)
  }

  /// A run of bytes of the pickle, or of values.
  struct Part {
    var start: UInt32
    var count: UInt32

    var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
  }

  /// The elements of one or more tensors, in an entry of the archive.
  struct Storage {
    var key: String
    var type: ForeignElementType
    var count: Int
  }

  /// A view of a storage; offset and strides are in elements.
  struct TensorReference {
    var storage: Storage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  /// The dictionaries.
  private(set) var containers: [[(key: Value, value: Value)]] = []
  private(set) var tensors: [TensorReference] = []
  private(set) var result = Value.nothing

  /// Limits: bytes of the pickle, tensors, values on the stack, distinct names, arguments of a call.
  static let maximalSize = 128 << 20
  static let maximalTensors = 1 << 20
  private static let maximalHeight = 1 << 20
  private static let maximalGlobals = 1 << 12
  private static let maximalArguments = 64

  private let place: String
  private let bytes: [UInt8]
  private var stack: [Value] = []
  /// Heights of the stack at the open marks.
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  /// The values of all tuples.
  private var pool: [Value] = []
  private var globals: [String] = []
  private var globalIndices: [ByteName: Int] = [:]
  private var storages: [Storage] = []
  /// The number of values that may still be kept in tuples, containers and the memo.
  private var room: Int

  /// Runs the pickle.
  /// - Throws: `corrupt` for a malformed pickle, `unsupported` for one that contains more than a state dictionary,
  ///   `tooLarge` for one that makes more values than its size allows.
  init(_ bytes: [UInt8], place: String) throws(TensorFileError) {
    self.place = place
    self.bytes = bytes
    // A tensor takes a hundred bytes, and some thirty values.
    room = bytes.count / 2 + 200_000
    guard bytes.count <= Pickle.maximalSize else {
      throw TensorFileError(
        .tooLarge, at: place, "the pickle has \(bytes.count) bytes; at most \(Pickle.maximalSize) are allowed")
    }
    try run()
  }

  /// The text of a value; nil for other kinds of values.
  func text(_ value: Value) -> String? {
    guard case .text(let part) = value else { return nil }
    return String(decoding: bytes[part.range], as: UTF8.self)
  }

  private func corrupt(_ message: String) -> TensorFileError { TensorFileError(.corrupt, at: place, message) }

  private func tooLarge(_ message: String) -> TensorFileError {
    TensorFileError(.tooLarge, at: place, "the pickle \(message), unlike any state dictionary")
  }

  /// Counts values that are kept.
  private mutating func keep(_ count: Int) throws(TensorFileError) {
    room -= count
    guard room >= 0 else { throw tooLarge("makes more values than its length allows") }
  }

  private func refusal(of name: String) -> TensorFileError {
    TensorFileError(
      .unsupported, at: place,
      "refers to Python's '\(name)', which this reader does not support and will not call; \(Pickle.advice)")
  }

  private static let advice = "save a state dictionary: torch.save(model.state_dict(), ...)"

  private mutating func run() throws(TensorFileError) {
    var cursor = PickleCursor(bytes, place: place)
    while true {
      guard stack.count <= Pickle.maximalHeight, marks.count <= Pickle.maximalHeight else {
        throw tooLarge("has more than \(Pickle.maximalHeight) values on its stack")
      }
      let instruction = bytes[try cursor.take(1)]
      if instruction == UInt8(ascii: ".") { break }
      if try pushValue(instruction, &cursor) { continue }
      if try changeStack(instruction, &cursor) { continue }
      if try build(instruction, &cursor) { continue }
      let code = String(instruction, radix: 16)
      throw TensorFileError(
        .unsupported, at: place,
        "pickle instruction 0x\(code) does not occur in state dictionaries; \(Pickle.advice)")
    }
    guard stack.count == 1, marks.isEmpty else { throw corrupt("the pickle ends with \(stack.count) values") }
    guard cursor.isAtEnd else { throw corrupt("the pickle continues after its end") }
    result = stack[0]
  }

  // MARK: Instructions

  /// Executes an instruction that pushes a plain value, or has no effect.
  /// - Returns: whether the instruction is of this kind.
  private mutating func pushValue(
    _ instruction: UInt8, _ cursor: inout PickleCursor
  ) throws(TensorFileError) -> Bool {
    switch instruction {
    case 0x80:  // PROTO
      let version = try cursor.number(UInt8.self)
      guard (2...5).contains(version) else { throw corrupt("pickle protocol \(version); supported are 2 to 5") }
    case 0x95: _ = try cursor.take(8)  // FRAME
    case UInt8(ascii: "N"): stack.append(.nothing)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.integer(try cursor.number(UInt8.self)))
    case UInt8(ascii: "M"): stack.append(.integer(try cursor.number(UInt16.self)))
    case UInt8(ascii: "J"): stack.append(.integer(try cursor.number(Int32.self)))
    case 0x8A: stack.append(.integer(try cursor.longNumber()))  // LONG1
    case UInt8(ascii: "G"): stack.append(.number(try cursor.bigEndianDouble()))  // BINFLOAT
    case UInt8(ascii: "X"): stack.append(.text(try cursor.text(try cursor.number(UInt32.self))))
    case 0x8C: stack.append(.text(try cursor.text(try cursor.number(UInt8.self))))
    case UInt8(ascii: "]"): stack.append(.list)
    default: return false
    }
    return true
  }

  /// Executes an instruction that moves values between stack, tuples, containers and memo.
  /// - Returns: whether the instruction is of this kind.
  private mutating func changeStack(
    _ instruction: UInt8, _ cursor: inout PickleCursor
  ) throws(TensorFileError) -> Bool {
    switch instruction {
    case UInt8(ascii: "}"): stack.append(try newDictionary())
    case UInt8(ascii: ")"): try pushTuple([])
    case 0x85: try pushTuple(try popLast(1))
    case 0x86: try pushTuple(try popLast(2))
    case 0x87: try pushTuple(try popLast(3))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "t"): try pushTuple(try popMark())
    case UInt8(ascii: "a"): try append(try popLast(1))
    case UInt8(ascii: "e"): try append(try popMark())
    case UInt8(ascii: "s"): try insert(try popLast(2))
    case UInt8(ascii: "u"): try insert(try popMark())
    case UInt8(ascii: "q"): try remember(try cursor.number(UInt8.self))
    case UInt8(ascii: "r"): try remember(try cursor.number(UInt32.self))
    case 0x94: try remember(memo.count)  // MEMOIZE
    case UInt8(ascii: "h"): try recall(try cursor.number(UInt8.self))
    case UInt8(ascii: "j"): try recall(try cursor.number(UInt32.self))
    default: return false
    }
    return true
  }

  /// Executes an instruction that refers to a Python name, or "calls" one.
  /// - Returns: whether the instruction is of this kind.
  private mutating func build(_ instruction: UInt8, _ cursor: inout PickleCursor) throws(TensorFileError) -> Bool {
    switch instruction {
    case UInt8(ascii: "c"):
      let module = try cursor.line()
      stack.append(try global("\(module).\(try cursor.line())"))
    case 0x93:  // STACK_GLOBAL
      let parts = try popLast(2)
      guard let module = text(parts[0]), let name = text(parts[1]), name.utf8.count < 1024, module.utf8.count < 1024
      else { throw corrupt("a name that is not text") }
      stack.append(try global("\(module).\(name)"))
    case UInt8(ascii: "Q"): stack.append(try storage(try popLast(1)[0]))
    case UInt8(ascii: "R"):
      let parts = try popLast(2)
      stack.append(try called(parts[0], try elements(parts[1], most: Pickle.maximalArguments)))
    case 0x81:  // NEWOBJ
      guard case .global(let name) = try popLast(2)[0] else { throw corrupt("an object without a class") }
      throw refusal(of: globals[name])
    case UInt8(ascii: "b"):
      // The attributes of PyTorch's ordered dictionary (versions of modules) are discarded.
      let parts = try popLast(2)
      guard case .dictionary = parts[0] else {
        throw TensorFileError(.unsupported, at: place, "contains a Python object; \(Pickle.advice)")
      }
      stack.append(parts[0])
    default: return false
    }
    return true
  }

  // MARK: The stack

  /// Pops the topmost values, lowest first; never below the last mark.
  private mutating func popLast(_ count: Int) throws(TensorFileError) -> [Value] {
    guard stack.count - count >= (marks.last ?? 0) else { throw corrupt("the pickle pops more values than it pushed") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popMark() throws(TensorFileError) -> [Value] {
    guard let mark = marks.popLast() else { throw corrupt("the pickle pops a mark that it did not push") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func newDictionary() throws(TensorFileError) -> Value {
    try keep(1)
    containers.append([])
    return .dictionary(containers.count - 1)
  }

  private mutating func pushTuple(_ values: [Value]) throws(TensorFileError) {
    try keep(values.count)
    stack.append(.tuple(Part(start: UInt32(pool.count), count: UInt32(values.count))))
    pool += values
  }

  private mutating func global(_ name: String) throws(TensorFileError) -> Value {
    if let known = globalIndices[ByteName(name)] { return .global(known) }
    guard globals.count < Pickle.maximalGlobals else { throw tooLarge("refers to too many Python names") }
    globalIndices[ByteName(name)] = globals.count
    globals.append(name)
    return .global(globals.count - 1)
  }

  private mutating func remember(_ key: Int) throws(TensorFileError) {
    guard stack.count > (marks.last ?? 0) else { throw corrupt("the pickle memoizes a value from an empty stack") }
    // An entry of the memo takes more memory than a value of a tuple.
    if memo.updateValue(stack[stack.count - 1], forKey: key) == nil { try keep(2) }
  }

  private mutating func recall(_ key: Int) throws(TensorFileError) {
    guard let value = memo[key] else { throw corrupt("the pickle gets a value that it did not memoize") }
    stack.append(value)
  }

  private mutating func append(_ values: [Value]) throws(TensorFileError) {
    guard case .list = stack.last else { throw corrupt("the pickle appends to a value that is not a list") }
  }

  private mutating func insert(_ values: [Value]) throws(TensorFileError) {
    guard case .dictionary(let index) = stack.last, values.count % 2 == 0
    else { throw corrupt("the pickle sets items of a value that is not a dictionary") }
    try keep(values.count)
    for i in stride(from: 0, to: values.count, by: 2) { containers[index].append((values[i], values[i + 1])) }
  }

  // MARK: The supported names

  private func elements(_ value: Value, most: Int) throws(TensorFileError) -> ArraySlice<Value> {
    guard case .tuple(let part) = value else { throw corrupt("a tuple is expected") }
    guard part.count <= most else {
      throw corrupt("a tuple of \(part.count) values where at most \(most) are expected")
    }
    return pool[part.range]
  }

  private func integers(_ value: Value) throws(TensorFileError) -> [Int] {
    var result: [Int] = []
    for element in try elements(value, most: 32) {
      guard case .integer(let number) = element, number >= 0 else { throw corrupt("a shape or stride is not a number") }
      result.append(number)
    }
    return result
  }

  /// The result of a "call".
  private mutating func called(_ function: Value, _ slice: ArraySlice<Value>) throws(TensorFileError) -> Value {
    guard case .global(let index) = function else { throw corrupt("the pickle calls a value that is not a function") }
    let arguments = Array(slice)
    switch globals[index] {
    case "collections.OrderedDict" where arguments.isEmpty: return try newDictionary()
    case "torch._utils._rebuild_tensor_v2" where arguments.count >= 6:
      guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1] else {
        throw corrupt("a tensor without storage")
      }
      let (shape, strides) = (try integers(arguments[2]), try integers(arguments[3]))
      guard offset >= 0, shape.count == strides.count, shape.count <= 32 else {
        throw corrupt("a tensor of shape \(shape.prefix(8)) with \(strides.count) strides")
      }
      guard tensors.count < Pickle.maximalTensors else { throw tooLarge("describes too many tensors") }
      tensors.append(
        TensorReference(storage: storages[storage], offset: offset, shape: shape, strides: strides))
      return .tensor(tensors.count - 1)
    case "torch._utils._rebuild_parameter" where arguments.count >= 1:
      guard case .tensor = arguments[0] else { throw corrupt("a parameter that is not a tensor") }
      return arguments[0]
    case let name: throw refusal(of: name)
    }
  }

  /// `('storage', type, key, device, count)`.
  private mutating func storage(_ identity: Value) throws(TensorFileError) -> Value {
    let parts = Array(try elements(identity, most: 5))
    guard parts.count == 5, text(parts[0]) == "storage", case .global(let name) = parts[1],
      let key = text(parts[2]), key.utf8.count < 1024, case .integer(let count) = parts[4], count >= 0
    else { throw corrupt("a storage has an unknown description") }
    guard let type = ForeignElementType(storage: globals[name]) else {
      throw TensorFileError(.unsupported, at: place, "elements of type '\(globals[name])' are not supported")
    }
    guard storages.count < Pickle.maximalTensors else { throw tooLarge("describes too many storages") }
    storages.append(Storage(key: key, type: type, count: count))
    return .storage(storages.count - 1)
  }
}
