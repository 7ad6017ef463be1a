import Determinism
import PipelineModel

/// The section `parameters` at the top of a pipeline: a mapping, or the name of a file with one.
///
/// Such a file, `params.yaml` or JSON, belongs to the project: its own scripts may read it, so its text is taken as it
/// is, and `$` has no meaning in it.
enum ParametersSection {
  static let key = "parameters"

  /// The values; nil where there are none.
  /// - Parameter file: takes the path of the file, where there is one.
  /// - Throws: `PipelineError` with the location.
  static func resolve(_ value: LocatedValue?, file: (String) -> Void) throws -> LocatedValue? {
    guard let value else { return nil }
    guard let name = value.stringValue else {
      if case .null = value.content { return nil }
      guard value.members != nil else {
        throw PipelineError(
          .wrongType, at: value.location,
          "'\(key)': expected the name of a file, or a mapping, found \(value.kindDescription)")
      }
      return value
    }
    let place = value.location
    guard RelativePath.problem(name) == nil else {
      throw PipelineError(.badReference, at: place, "'\(key): \(name)': must be a file in this folder or below")
    }
    let slash = UInt8(ascii: "/")
    let path =
      (place.file.utf8.lastIndex(of: slash).map { String(decoding: place.file.utf8[...$0], as: UTF8.self) } ?? "")
      + name
    let text: String
    switch TextFile.read(path) {
    case .success(let found): text = found
    case .failure(let reason):
      throw PipelineError(.badReference, at: place, "'\(key): \(name)': \(reason.text) (\(path))")
    }
    file(path)
    let tree = try YAMLTree.parse(text, file: path)
    guard tree.members != nil else {
      throw PipelineError(
        .wrongType, at: tree.location, "expected a mapping of parameters, found \(tree.kindDescription)")
    }
    return literal(tree)
  }

  /// A value that has no references in it.
  static func literal(_ value: LocatedValue) -> LocatedValue {
    var value = value
    switch value.content {
    case .string(let text) where text.startsWithBytes(of: "$"): value.content = .string("$" + text)
    case .array(let elements): value.content = .array(elements.map(literal))
    case .object(let members):
      value.content = .object(
        members.map { .init(name: $0.name, nameLocation: $0.nameLocation, value: literal($0.value)) })
    default: break
    }
    return value
  }
}
