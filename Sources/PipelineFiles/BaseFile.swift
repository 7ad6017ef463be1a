import Determinism
import PipelineModel

/// Inheritance between pipeline files: `based-on: coco.yaml`, a file in the same folder or below.
///
/// The values of this file override those of the base file. Mappings are merged member by member, also into the value of
/// a `$name`; everything else is replaced, and an empty value (`~`) removes a member. A stage with another kind (`uses`)
/// inherits no parameters and needs. The result is one pipeline, so stages that are the same in both have the same keys
/// and are computed once.
enum BaseFile {
  static let key = "based-on"
  /// The largest number of files in a chain of base files.
  private static let depthLimit = 8

  /// The file's tree merged over that of its base file, recursively.
  /// - Parameter files: receives the paths of the base files.
  /// - Throws: `PipelineError` with the location.
  static func resolve(
    _ tree: LocatedValue, path: String, depth: Int = 1, files: inout [String]
  ) throws -> LocatedValue {
    guard let members = tree.members, let basis = members.first(where: { $0.name == key }) else { return tree }
    let place = basis.value.location
    guard let name = basis.value.stringValue, !name.isEmpty else {
      throw PipelineError(
        .wrongType, at: place, "'\(key)': expected the name of a file, found \(basis.value.kindDescription)")
    }
    let slash = UInt8(ascii: "/")
    guard name.utf8.first != slash, !name.splitBytes(at: slash).contains(".."), !name.utf8.contains(0) else {
      throw PipelineError(.badReference, at: place, "'\(key): \(name)': must be a file in this folder or below")
    }
    guard depth < depthLimit else {
      throw PipelineError(
        .badReference, at: place, "'\(key)': a chain of more than \(depthLimit) files; is there a cycle?")
    }
    let file = (path.utf8.lastIndex(of: slash).map { String(decoding: path.utf8[...$0], as: UTF8.self) } ?? "") + name
    let text: String
    switch TextFile.read(file) {
    case .success(let found): text = found
    case .failure(let reason):
      throw PipelineError(.badReference, at: place, "'\(key): \(name)': \(reason.text) (\(file))")
    }
    files.append(file)
    let below = try resolve(try YAMLTree.parse(text, file: file), path: file, depth: depth + 1, files: &files)
    let own = members.filter { $0.name != key }
    // The expected roots of the base file belong to another pipeline.
    var inherited = below
    if let members = below.members { inherited.content = .object(members.filter { $0.name != "expect" }) }
    return merge(LocatedValue(.object(own), at: tree.location), over: inherited)
  }

  private static func merge(_ value: LocatedValue, over base: LocatedValue) -> LocatedValue {
    guard let members = value.members, let below = Bindings.opened(base).members else { return value }
    if let kind = value["uses"]?.stringValue, let former = base["uses"]?.stringValue, kind != former { return value }
    var result = below
    for member in members {
      let index = result.firstIndex { $0.name.hasSameBytes(as: member.name) }
      if case .null = member.value.content {
        if let index { result.remove(at: index) }
        // A member of a named value can't be removed: the stage will refuse the empty value with its location.
        if index == nil, below.contains(where: { $0.name == "$" }) { result.append(member) }
      } else if let index {
        result[index] = .init(
          name: member.name, nameLocation: member.nameLocation,
          value: merge(member.value, over: result[index].value))
      } else {
        result.append(member)
      }
    }
    return LocatedValue(.object(result), at: value.location)
  }
}
