import Determinism
import PipelineModel

/// Free parameters as variables of a program: `PARAMETER_rate` of `rate: 0.1`, `PARAMETER_optimizer_rate` of
/// `optimizer: { rate: 0.1 }`. What is no letter, digit or `_` of ASCII becomes `_`. Lists and empty values are in the
/// file only.
enum ParameterVariables {
  static let prefix = "PARAMETER_"
  /// Name the files with all parameters, and with what the artifacts of lists are.
  static let file = "PARAMETERS"
  static let inputs = "INPUTS"

  /// - Throws: `ParameterError` where two parameters would be one variable, or one of `environment` has such a name.
  static func all(of parameters: FreeParameters?, beside environment: [String: String]) throws -> [String: String] {
    guard let parameters else { return [:] }
    let variables = try all(of: parameters)
    for name in environment.keys.sortedByBytes() where name == file || variables[name] != nil {
      throw ParameterError("environment", "'\(name)' is set from 'parameters'; give one of them another name")
    }
    return variables
  }

  private static func all(of parameters: FreeParameters) throws -> [String: String] {
    var found = [String: (path: String, text: String)]()
    func add(_ value: CanonicalValue, _ path: String, _ name: String) throws {
      switch value {
      case .null, .array: return
      case .object(let members):
        for (inner, value) in members.sorted(by: { $0.key.precedesInBytes($1.key) }) {
          try add(value, path.isEmpty ? inner : "\(path).\(inner)", "\(name)\(path.isEmpty ? "" : "_")\(word(inner))")
        }
      case .string(let text):
        guard !text.utf8.contains(0) else { throw ParameterError("parameters", "'\(path)' holds a zero byte") }
        try put(text, path, name)
      case .bool, .integer, .number: try put(value.canonicalText, path, name)
      }
    }
    func put(_ text: String, _ path: String, _ name: String) throws {
      if let other = found[name] {
        throw ParameterError(
          "parameters", "'\(other.path)' and '\(path)' would both be the variable \(name); rename one of them")
      }
      found[name] = (path, text)
    }
    try add(.object(parameters.values), "", prefix)
    return found.mapValues(\.text)
  }

  private static func word(_ name: String) -> String {
    func isPlain(_ byte: UInt8) -> Bool {
      (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }
    return String(decoding: name.utf8.map { isPlain($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
  }
}
