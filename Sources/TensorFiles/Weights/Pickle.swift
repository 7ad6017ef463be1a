/// What the pickle of a state dictionary describes: plain values, and tensors that lie beside it.
///
/// A pickle is a program for a stack machine, and Python's own reader lets it call anything. This one knows just the
/// instructions that a state dictionary needs and calls nothing: a name from Python is a value like others, and
/// "calling" one of the few that are known makes a dictionary or the description of a tensor. Containers lie in one
/// flat list and hold indices, so nothing that a file says can make a recursion deep; every instruction makes at most
/// one value, so memory follows the size of the file.
struct Pickle {
  enum Value {
    case nothing
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    /// Index into `containers`.
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    /// A name from Python: `module.name`.
    case global(String)
    case storage(Storage)
    case tensor(TensorReference)
  }

  /// The elements of one or more tensors, in an entry of the archive.
  struct Storage {
    var key: String
    var type: ForeignElementType
    var count: Int
  }

  /// A view of a storage; all in elements.
  struct TensorReference {
    var storage: Storage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  enum Container {
    case values([Value])
    case members([(key: Value, value: Value)])
  }

  private(set) var containers: [Container] = []
  private(set) var result = Value.nothing

  private let place: String
  private var stack: [Value] = []
  /// Heights of the stack at the open marks.
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]

  /// Runs the pickle.
  /// - Throws: `corrupt` for what is no pickle, `unsupported` for one that holds more than a state dictionary.
  init(_ bytes: [UInt8], place: String) throws(TensorFileError) {
    self.place = place
    try run(bytes)
  }

  private func corrupt(_ message: String) -> TensorFileError { TensorFileError(.corrupt, at: place, message) }

  private func refusal(of name: String) -> TensorFileError {
    TensorFileError(
      .unsupported, at: place,
      "asks for Python's '\(name)', which this program does not know and will not call; \(Pickle.advice)")
  }

  private static let advice = "save a state dictionary: torch.save(model.state_dict(), ...)"

  private mutating func run(_ bytes: [UInt8]) throws(TensorFileError) {
    var at = 0
    func take(_ count: Int) throws(TensorFileError) -> Int {
      guard count >= 0, count <= bytes.count - at else { throw corrupt("the pickle ends inside an instruction") }
      defer { at += count }
      return at
    }
    func number<T: FixedWidthInteger>(_ type: T.Type) throws(TensorFileError) -> Int {
      Int(clamping: bytes.number(at: try take(MemoryLayout<T>.size), as: type))
    }
    func text(_ count: Int) throws(TensorFileError) -> String {
      let start = try take(count)
      guard let text = String(validating: bytes[start..<start + count], as: UTF8.self) else {
        throw corrupt("a text in the pickle is no UTF-8")
      }
      return text
    }
    func line() throws(TensorFileError) -> String {
      guard let end = bytes[at...].firstIndex(of: 10) else { throw corrupt("the pickle ends inside a name") }
      let line = try text(end - at)
      at += 1
      return line
    }
    while true {
      let instruction = bytes[try take(1)]
      switch instruction {
      case 0x80:  // PROTO
        let version = try number(UInt8.self)
        guard (2...5).contains(version) else { throw corrupt("pickle protocol \(version); known are 2 to 5") }
      case 0x95:  // FRAME
        _ = try take(8)
      case UInt8(ascii: "N"): stack.append(.nothing)
      case 0x88: stack.append(.bool(true))
      case 0x89: stack.append(.bool(false))
      case UInt8(ascii: "K"): stack.append(.integer(try number(UInt8.self)))
      case UInt8(ascii: "M"): stack.append(.integer(try number(UInt16.self)))
      case UInt8(ascii: "J"): stack.append(.integer(try number(Int32.self)))
      case 0x8A:  // LONG1: bytes of a signed number
        let count = try number(UInt8.self)
        guard count <= 8 else { throw corrupt("a number of \(count) bytes") }
        let start = try take(count)
        var value = count > 0 && bytes[start + count - 1] >= 128 ? -1 : 0
        for i in (0..<count).reversed() { value = value << 8 | Int(bytes[start + i]) }
        stack.append(.integer(value))
      case UInt8(ascii: "G"):  // BINFLOAT, big-endian
        let start = try take(8)
        let bits = (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[start + $1]) }
        stack.append(.number(Double(bitPattern: bits)))
      case UInt8(ascii: "X"): stack.append(.text(try text(try number(UInt32.self))))
      case 0x8C: stack.append(.text(try text(try number(UInt8.self))))
      case UInt8(ascii: "}"): push(.members([]))
      case UInt8(ascii: "]"): push(.values([]))
      case UInt8(ascii: ")"): pushTuple([])
      case 0x85: pushTuple(try popLast(1))
      case 0x86: pushTuple(try popLast(2))
      case 0x87: pushTuple(try popLast(3))
      case UInt8(ascii: "("): marks.append(stack.count)
      case UInt8(ascii: "t"): pushTuple(try popMark())
      case UInt8(ascii: "a"): try append(try popLast(1))
      case UInt8(ascii: "e"): try append(try popMark())
      case UInt8(ascii: "s"): try insert(try popLast(2))
      case UInt8(ascii: "u"): try insert(try popMark())
      case UInt8(ascii: "q"): try remember(try number(UInt8.self))
      case UInt8(ascii: "r"): try remember(try number(UInt32.self))
      case 0x94: try remember(memo.count)  // MEMOIZE
      case UInt8(ascii: "h"): try recall(try number(UInt8.self))
      case UInt8(ascii: "j"): try recall(try number(UInt32.self))
      case UInt8(ascii: "c"):
        let module = try line()
        stack.append(.global("\(module).\(try line())"))
      case 0x93:  // STACK_GLOBAL
        let parts = try popLast(2)
        guard case .text(let module) = parts[0], case .text(let name) = parts[1] else {
          throw corrupt("a name made of something else than text")
        }
        stack.append(.global("\(module).\(name)"))
      case UInt8(ascii: "Q"): stack.append(.storage(try storage(try popLast(1)[0])))
      case UInt8(ascii: "R"):
        let parts = try popLast(2)
        stack.append(try called(parts[0], try elements(parts[1])))
      case 0x81:  // NEWOBJ
        guard case .global(let name) = try popLast(2)[0] else { throw corrupt("an object of no class") }
        throw refusal(of: name)
      case UInt8(ascii: "b"):
        // What an ordered dictionary of PyTorch carries beside its members (versions of modules) is let go.
        let parts = try popLast(2)
        guard case .dictionary = parts[0] else {
          throw TensorFileError(.unsupported, at: place, "holds an object of Python's; \(Pickle.advice)")
        }
        stack.append(parts[0])
      case UInt8(ascii: "."):
        guard stack.count == 1, marks.isEmpty else { throw corrupt("the pickle ends with \(stack.count) values") }
        guard at == bytes.count else { throw corrupt("the pickle goes on after its end") }
        result = stack[0]
        return
      default:
        let code = String(instruction, radix: 16)
        throw TensorFileError(
          .unsupported, at: place,
          "pickle instruction 0x\(code) is none that a state dictionary needs; \(Pickle.advice)")
      }
    }
  }

  // MARK: The stack

  /// The topmost values, the lowest first; never from below the last mark.
  private mutating func popLast(_ count: Int) throws(TensorFileError) -> [Value] {
    guard stack.count - count >= (marks.last ?? 0) else { throw corrupt("the pickle takes more than it has made") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popMark() throws(TensorFileError) -> [Value] {
    guard let mark = marks.popLast() else { throw corrupt("the pickle closes what it has not opened") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func push(_ container: Container) {
    containers.append(container)
    switch container {
    case .values: stack.append(.list(containers.count - 1))
    case .members: stack.append(.dictionary(containers.count - 1))
    }
  }

  private mutating func pushTuple(_ values: [Value]) {
    containers.append(.values(values))
    stack.append(.tuple(containers.count - 1))
  }

  private mutating func remember(_ key: Int) throws(TensorFileError) {
    guard stack.count > (marks.last ?? 0) else { throw corrupt("the pickle remembers what it has not made") }
    memo[key] = stack[stack.count - 1]
  }

  private mutating func recall(_ key: Int) throws(TensorFileError) {
    guard let value = memo[key] else { throw corrupt("the pickle recalls what it has not remembered") }
    stack.append(value)
  }

  private mutating func append(_ values: [Value]) throws(TensorFileError) {
    guard case .list(let index) = stack.last, case .values(var list) = containers[index] else {
      throw corrupt("the pickle appends to something that is no list")
    }
    containers[index] = .values([])  // So that the array is not copied.
    list += values
    containers[index] = .values(list)
  }

  private mutating func insert(_ values: [Value]) throws(TensorFileError) {
    guard case .dictionary(let index) = stack.last, case .members(var members) = containers[index],
      values.count % 2 == 0
    else { throw corrupt("the pickle sets members of something that is no dictionary") }
    containers[index] = .members([])
    for i in stride(from: 0, to: values.count, by: 2) { members.append((values[i], values[i + 1])) }
    containers[index] = .members(members)
  }

  // MARK: The names that are known

  private func elements(_ value: Value) throws(TensorFileError) -> [Value] {
    guard case .tuple(let index) = value, case .values(let values) = containers[index] else {
      throw corrupt("a tuple is expected")
    }
    return values
  }

  private func integers(_ value: Value) throws(TensorFileError) -> [Int] {
    var result: [Int] = []
    for element in try elements(value) {
      guard case .integer(let number) = element, number >= 0 else { throw corrupt("a shape or stride is no number") }
      result.append(number)
    }
    return result
  }

  /// What a "call" stands for.
  private mutating func called(_ function: Value, _ arguments: [Value]) throws(TensorFileError) -> Value {
    guard case .global(let name) = function else { throw corrupt("the pickle calls something that has no name") }
    switch name {
    case "collections.OrderedDict" where arguments.isEmpty:
      containers.append(.members([]))
      return .dictionary(containers.count - 1)
    case "torch._utils._rebuild_tensor_v2" where arguments.count >= 6:
      guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1] else {
        throw corrupt("a tensor without storage")
      }
      let (shape, strides) = (try integers(arguments[2]), try integers(arguments[3]))
      guard offset >= 0, shape.count == strides.count, shape.count <= 32 else {
        throw corrupt("a tensor of shape \(shape.prefix(8)) with \(strides.count) strides")
      }
      return .tensor(TensorReference(storage: storage, offset: offset, shape: shape, strides: strides))
    case "torch._utils._rebuild_parameter" where arguments.count >= 1:
      guard case .tensor = arguments[0] else { throw corrupt("a parameter that is no tensor") }
      return arguments[0]
    default:
      throw refusal(of: name)
    }
  }

  /// `('storage', type, key, device, count)`.
  private func storage(_ identity: Value) throws(TensorFileError) -> Storage {
    let parts = try elements(identity)
    guard parts.count == 5, case .text("storage") = parts[0], case .global(let name) = parts[1],
      case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0
    else { throw corrupt("a storage is described in an unknown way") }
    guard let type = ForeignElementType(storage: name) else {
      throw TensorFileError(.unsupported, at: place, "elements of type '\(name)' are not known here")
    }
    return Storage(key: key, type: type, count: count)
  }
}
