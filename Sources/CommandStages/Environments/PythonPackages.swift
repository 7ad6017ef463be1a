import Determinism
import PipelineModel

/// The packages of folders such as `lib/python3.11/site-packages`, from the metadata that installers leave there.
///
/// A package is its name, its version and the digest of its files as they are, not as its `RECORD` says they were: an
/// edited file shows. Files that no package owns have a digest of their own.
struct PythonPackages {
  /// By normalised name: `{ version, files }`.
  private(set) var packages: [String: CanonicalValue] = [:]
  /// Of files that no package owns; nil where there are none.
  private(set) var others: Digest?

  private struct Owner {
    let name: String
    let version: String
    var files: [(path: String, digest: Digest)] = []
  }

  /// - Parameters:
  ///   - root: the installation.
  ///   - sites: its folders with packages, relative to `root`.
  ///   - entries: all files of the installation that count.
  init(
    in root: String, sites: [String], entries: [FolderSnapshot.Entry], files: InstalledFiles, environment: String
  ) throws {
    var owners = [Owner]()
    var ownerOf = [ByteName: Int]()
    for entry in entries where entry.path.hasSuffix(".dist-info/METADATA") || entry.path.hasSuffix(".egg-info/PKG-INFO")
    {
      guard let info = RelativePath.parent(entry.path), let site = RelativePath.parent(info),
        sites.contains(where: { $0.hasSameBytes(as: site) })
      else { continue }
      try PythonPackages.refuseEditable("\(root)/\(info)", environment)
      let (name, version) = try PythonPackages.nameAndVersion("\(root)/\(entry.path)")
      owners.append(Owner(name: name, version: version))
      for path in try PythonPackages.recorded("\(root)/\(info)/RECORD") {
        if let place = PythonPackages.normal("\(site)/\(path)") { ownerOf[ByteName(place)] = owners.count - 1 }
      }
    }
    var strangers = [(path: String, digest: Digest)]()
    for entry in entries {
      let owner = ownerOf[ByteName(entry.path)]
      let isOfSite = sites.contains { RelativePath.contains($0, entry.path) }
      let isProgram = entry.path.startsWithBytes(of: "bin/")
      guard owner != nil || isOfSite || isProgram, !PythonPackages.isAboutPlaces(entry.path) else { continue }
      if isOfSite, entry.path.hasSuffix(".pth") { try PythonPackages.refuseOutside(entry.path, root, environment) }
      let digest = try files.digest(of: entry, isScript: isProgram)
      if let owner { owners[owner].files.append((entry.path, digest)) } else { strangers.append((entry.path, digest)) }
    }
    for owner in owners {
      packages[owner.name] = [
        "version": .string(owner.version), "files": .string(PythonPackages.digest(owner.files).hex),
      ]
    }
    if !strangers.isEmpty { others = PythonPackages.digest(strangers) }
  }

  private static func digest(_ files: [(path: String, digest: Digest)]) -> Digest {
    Digest(of: files.map { "\($0.digest.hex) \($0.path)\n" }.joined())
  }

  /// Files that say where, when and by what something was installed, and those that a shell reads.
  private static func isAboutPlaces(_ path: String) -> Bool {
    let name = RelativePath.name(path)
    if path.startsWithBytes(of: "bin/") {
      return ["activate", "Activate", "deactivate", "python", "pydoc.bat"].contains { name.startsWithBytes(of: $0) }
    }
    let records = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"]
    return RelativePath.parent(path)?.hasSuffix(".dist-info") == true && records.contains(name)
  }

  /// Relative to the folder with packages.
  private static func recorded(_ file: String) throws -> [String] {
    guard Files.exists(file) else { return [] }
    return TextLines.split(try Files.read(file, limit: 1 << 26)).compactMap { line in
      guard let first = line.first else { return nil }
      // Names with commas or quotes are quoted, quotes doubled.
      let quote = UInt8(ascii: "\"")
      guard first == quote else { return String(validating: line.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self) }
      var path = [UInt8]()
      var rest = line.dropFirst()
      while let byte = rest.popFirst() {
        if byte == quote {
          guard rest.first == quote else { break }
          rest.removeFirst()
        }
        path.append(byte)
      }
      return String(validating: path, as: UTF8.self)
    }
  }

  /// Without `.` and `..`; nil where it leads out of the installation.
  private static func normal(_ path: String) -> String? {
    var parts = [String]()
    for part in path.splitBytes(at: UInt8(ascii: "/")) {
      if part.isEmpty || part == "." { continue }
      if part != ".." {
        parts.append(part)
      } else if parts.popLast() == nil {
        return nil
      }
    }
    return parts.joined(separator: "/")
  }

  private static func nameAndVersion(_ file: String) throws -> (name: String, version: String) {
    var (name, version) = ("", "")
    for line in TextLines.split(try Files.read(file, limit: 1 << 26)) {
      // The headers end with an empty line.
      guard !line.isEmpty else { break }
      let text = String(decoding: line, as: UTF8.self)
      if let value = PythonPackages.value(of: "Name", text) { name = value }
      if let value = PythonPackages.value(of: "Version", text) { version = value }
    }
    guard !name.isEmpty, !version.isEmpty else {
      throw PipelineError(.badArtifact, "\(file): names no package and version; install the package again")
    }
    return (normalised(name), version)
  }

  private static func value(of header: String, _ line: String) -> String? {
    guard line.startsWithBytes(of: "\(header):") else { return nil }
    return String(line.dropFirst(header.count + 1)).trimmingPrefix { $0 == " " }.description
  }

  /// In lower case, with one `-` for every run of `-`, `_` and `.`.
  static func normalised(_ name: String) -> String {
    name.lowercased().split { $0 == "-" || $0 == "_" || $0 == "." }.joined(separator: "-")
  }

  /// The code of a package in editable mode lies elsewhere.
  private static func refuseEditable(_ info: String, _ environment: String) throws {
    let file = "\(info)/direct_url.json"
    guard Files.exists(file), let value = try? CanonicalValue(json: Files.read(file, limit: 1 << 20)),
      value["dir_info"]?["editable"]?.boolValue == true
    else { return }
    let place = value["url"]?.stringValue ?? "another folder"
    let name = RelativePath.name(info).split(separator: "-").first.map(String.init) ?? info
    throw PipelineError(
      .missingTool,
      "environment '\(environment)': the package '\(name)' is installed in editable mode from \(Printable.line(place)), so "
        + "its code is not part of the environment. Install it without -e (with uv: uv sync --no-editable), or leave it "
        + "out (uv sync --no-install-project) and take its folder as an input")
  }

  /// A `.pth` file adds folders to Python's search path.
  private static func refuseOutside(_ path: String, _ root: String, _ environment: String) throws {
    for (i, line) in TextLines.split(try Files.read("\(root)/\(path)", limit: 1 << 20)).enumerated() {
      guard line.first == UInt8(ascii: "/"), let folder = String(validating: line, as: UTF8.self),
        !RelativePath.contains(root, folder)
      else { continue }
      throw PipelineError(
        .missingTool,
        "environment '\(environment)': \(root)/\(path):\(i + 1) takes packages from \(Printable.line(folder)), which is not "
          + "part of the environment. Install them into it (pip install without -e), or take that folder as an input")
    }
  }
}
