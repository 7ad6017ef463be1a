import Determinism
import PipelineModel

/// A part of a store in one file: artifacts, what made them, the pipeline and a README.
///
/// A tar archive in the layout of a store, so that an unpacked bundle is one:
///
/// ```
/// README.md        what this is, for people
/// bundle.json      what this is, for programs
/// SHA256SUMS       of all other files, for sha256sum -c
/// format           the layout of the store
/// objects/…        as in a store
/// records/…
/// signatures/…
/// environments/…   what the environments of programs consisted of
/// pipeline/…       the pipeline file, and the files beside it that belong to it
/// ```
enum StoreBundle {
  static let descriptionName = "bundle.json"
  static let sumsName = "SHA256SUMS"
  static let readmeName = "README.md"

  /// What a file of a bundle is, by its name; nil for a name that no bundle has.
  enum Member: Equatable {
    case object(Artifact, part: Part)
    case record(key: Digest)
    case signature(key: Digest, by: String)
    case environment(Digest)
    case format
    /// For people and other programs: not looked at.
    case other

    enum Part: Equatable {
      case file
      case checksum
      case manifest
      /// A file of a tree, by its path there.
      case content(String)
    }

    /// - Parameter kinds: artifact kinds by the ending of their files.
    init?(_ name: String, kinds: [String: String]) {
      if [StoreBundle.descriptionName, StoreBundle.sumsName, StoreBundle.readmeName].contains(name) {
        self = .other
        return
      }
      if name == "format" {
        self = .format
        return
      }
      let parts = name.splitBytes(at: UInt8(ascii: "/"))
      func digest(_ text: String) -> Digest? { text == text.lowercased() ? Digest(hex: text) : nil }
      switch parts[0] {
      case "pipeline" where parts.count > 1: self = .other
      case "records" where parts.count == 2 && parts[1].hasSuffix(".json"):
        guard let key = digest(String(parts[1].dropLast(5))) else { return nil }
        self = .record(key: key)
      case "signatures" where parts.count == 3 && parts[2].hasSuffix(".json"):
        guard let key = digest(parts[1]), let id = digest(String(parts[2].dropLast(5))) else { return nil }
        self = .signature(key: key, by: id.hex)
      case EnvironmentStore.folder where parts.count == 2 && parts[1].hasSuffix(".json"):
        guard let digest = digest(String(parts[1].dropLast(5))) else { return nil }
        self = .environment(digest)
      case "objects" where parts.count >= 3 && parts[1].utf8.count == 2:
        var file = parts[2]
        let isChecksum = file.hasSuffix(".sha256")
        if isChecksum { file = String(file.dropLast(7)) }
        let pieces = file.splitBytes(at: UInt8(ascii: "."))
        guard pieces.count == 2, let digest = digest(parts[1] + pieces[0]) else { return nil }
        let isExternal = pieces[1] == "manifest"
        guard let kind = isExternal ? TreeFormat.name : kinds[pieces[1]] else { return nil }
        let artifact = Artifact(kind: kind, digest: digest, isExternal: isExternal)
        let isTree = kind == TreeFormat.name && !isExternal
        let inner = parts.dropFirst(3)
        if isChecksum {
          guard inner.isEmpty else { return nil }
          self = .object(artifact, part: .checksum)
        } else if !isTree {
          guard inner.isEmpty else { return nil }
          self = .object(artifact, part: .file)
        } else if Array(inner) == [TreeFormat.manifestName] {
          self = .object(artifact, part: .manifest)
        } else if inner.first == TreeFormat.filesName, inner.count > 1 {
          self = .object(artifact, part: .content(inner.dropFirst().joined(separator: "/")))
        } else {
          return nil
        }
      default: return nil
      }
    }
  }
}
