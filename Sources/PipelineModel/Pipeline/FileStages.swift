import Determinism

extension PipelineDescription {
  /// The description with a source for each file and folder that stages need by `file:path`; stages that need the same
  /// share it. The sources come last and are named as they are referred to.
  /// - Throws: where such a path is not one of a place in the folder of the pipeline file.
  func withFileStages() throws -> PipelineDescription {
    var result = self
    var added = Set<ByteName>()
    for i in stages.indices {
      for j in stages[i].needs.indices {
        var reference = stages[i].needs[j].reference
        try result.addFile(at: &reference, &added)
        result.stages[i].needs[j].reference = reference
      }
      if var reference = stages[i].forEach {
        try result.addFile(at: &reference, &added)
        result.stages[i].forEach = reference
      }
    }
    return result
  }

  private mutating func addFile(at reference: inout Reference, _ added: inout Set<ByteName>) throws {
    guard let wanted = FileReference(reference.text) else { return }
    if let problem = RelativePath.problem(wanted.path) {
      throw PipelineError(
        .badReference, at: reference.location,
        "'\(reference.text)': \(problem); it is relative to the folder of the pipeline file")
    }
    // A file that this one is based on may lie in a folder below, and names what lies beside itself.
    let here = Checkout.folder(ofFile: file)
    let there = Checkout.folder(ofFile: reference.location.file)
    let below =
      there.count > here.count && RelativePath.contains(here, there) ? there.dropFirst(here.count + 1) + "/" : ""
    let path = below + wanted.path
    let text = FileReference.prefix + path + (wanted.isFolder ? "/" : "")
    reference.text = text
    guard added.insert(ByteName(text)).inserted else { return }
    let place = reference.location
    let name = wanted.isFolder ? "folder" : "path"
    let value = LocatedValue(.string(path), at: place)
    stages.append(
      StageEntry(
        name: text, nameLocation: SourceLocation(file: file, line: place.line, column: place.column),
        uses: wanted.isFolder ? "files" : "file", usesLocation: place, needs: [],
        with: LocatedValue(.object([.init(name: name, nameLocation: place, value: value)]), at: place), forEach: nil))
  }
}
