import CCodecs
import Determinism

/// The objects of a file and their attributes.
struct Outline {
  struct Dataset {
    let path: String
    /// The same for all hard links to one data set.
    let address: UInt64
  }

  private(set) var datasets = [Dataset]()
  private(set) var attributes = [String: CanonicalValue]()
  private(set) var foreign = ForeignContent()

  /// - Throws: also for what a digest could not tell apart: names that are not UTF-8, duplicate names, and names that are
  ///   canonically equivalent in Unicode.
  init(_ file: cc_h5, place: String) throws(TensorFileError) {
    var list = cc_h5_list()
    defer { cc_h5_list_free(&list) }
    let status = cc_h5_walk(file, &list)
    let culprit = list.failed.map { String(cString: $0) } ?? ""
    try HDF5.check(status, .corrupt, Outline.place(culprit, in: place), "the groups cannot be walked")
    var budget = Attributes.Budget()
    var paths = [String]()
    paths.reserveCapacity(list.count)
    for i in 0..<list.count {
      let object = list.objects[i]
      guard let path = String(validatingCString: object.path) else {
        let bytes = shownBytes(object.path).prefix(200)
        throw TensorFileError(.unsupported, at: "\(place): '\(bytes)'", "its name is not UTF-8")
      }
      paths.append(path)
      try take(object, path, place: place)
      if object.has_attributes != 0 {
        let place = Outline.place(path, in: place)
        take(try Attributes.read(file, object: path, place: place, budget: &budget), of: path)
      }
    }
    foreign.emptyGroups.sort(by: precedes)
    try Outline.checkNames(paths, place: place)
  }

  static func place(_ path: String, in file: String) -> String {
    path.isEmpty ? file : "\(file): '\(shown(path.prefix(200)))'"
  }

  private mutating func take(_ object: cc_h5_object, _ path: String, place: String) throws(TensorFileError) {
    switch object.kind {
    case CC_DATASET: datasets.append(Dataset(path: path, address: object.address))
    case CC_SOFT_LINK:
      guard let target = String(validatingCString: object.target) else {
        throw TensorFileError(.unsupported, at: Outline.place(path, in: place), "the target of the link is not UTF-8")
      }
      foreign.links[path] = target
    default:
      if object.is_empty != 0 && !path.isEmpty { foreign.emptyGroups.append(path) }
    }
  }

  private mutating func take(_ found: Attributes.Found, of path: String) {
    if path.isEmpty {
      attributes = found.values
    } else if !found.values.isEmpty {
      foreign.attributes[path] = found.values
    }
    if !found.forms.isEmpty { foreign.forms[path] = found.forms }
  }

  private static func checkNames(_ paths: [String], place: String) throws(TensorFileError) {
    var seen = Set<ByteName>()
    for path in paths where !seen.insert(ByteName(path)).inserted {
      throw TensorFileError(.corrupt, at: Outline.place(path, in: place), "the name occurs twice in the file")
    }
    try Names.checkTwins(paths, at: "\(place):")
  }
}
