import Determinism

/// The content of other programs' files beside tensors and attributes of the file; files of this program have none. It
/// is part of their digest.
///
/// No two paths of a file are canonically equivalent in Unicode and different in bytes: the reader refuses such files.
struct ForeignContent: Hashable, Sendable {
  /// Attributes of groups and data sets, by path.
  var attributes = [String: [String: CanonicalValue]]()
  /// How attributes are stored that this program would store differently, by path and name; the root group has the empty
  /// path.
  var forms = [String: [String: String]]()
  /// Targets of soft links, which are not followed.
  var links = [String: String]()
  /// Paths of groups without members, sorted.
  var emptyGroups = [String]()

  /// Members of the manifest; none for files of this program.
  var members: [String: CanonicalValue] {
    var members = [String: CanonicalValue]()
    if !forms.isEmpty { members["forms"] = .object(forms.mapValues { .object($0.mapValues { .string($0) }) }) }
    if !links.isEmpty { members["links"] = .object(links.mapValues { .string($0) }) }
    if !emptyGroups.isEmpty { members["groups"] = .array(emptyGroups.map { .string($0) }) }
    return members
  }
}
