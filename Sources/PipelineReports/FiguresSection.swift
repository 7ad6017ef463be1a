import Determinism
import Foundation
import Markup
import PipelineModel
import PipelineRunner

/// Pictures that stages made: outputs that are PNG or SVG files, and trees of such files.
struct FiguresSection {
  let subject: ReportSubject
  /// Bytes of all pictures together.
  let limit: Int

  private static let (mostInstances, mostFiles) = (24, 48)

  private struct Candidate {
    let stage: StageSummary
    let output: String
    let instance: String
    let artifact: Artifact
    /// In a tree.
    let file: String?
    let path: String
    let size: Int

    var name: String { "\(instance).\(output)" + (file.map { "/\($0)" } ?? "") }
  }

  var sections: [ReportSection] {
    var nodes = [MarkupNode]()
    var left = limit
    var omitted = [Candidate]()
    for stage in subject.stages {
      var shown = [MarkupNode]()
      for candidate in candidates(of: stage) {
        guard candidate.size <= min(left, Picture.fileLimit) else {
          omitted.append(candidate)
          continue
        }
        guard let picture = picture(candidate) else { continue }
        left -= candidate.size
        shown.append(figure(picture, candidate))
      }
      guard !shown.isEmpty else { continue }
      nodes.append(HTML.heading([HTML.code(stage.name)]))
      if let summary = FiguresSection.summary(stage) {
        nodes.append(HTML.paragraph("This stage \(summary).", class: "note"))
      }
      nodes.append(MarkupNode("div", [("class", "figures")], shown))
    }
    if !omitted.isEmpty { nodes.append(list(omitted)) }
    return nodes.isEmpty ? [] : [ReportSection(.figures, id: "figures", title: "Figures", nodes)]
  }

  private func figure(_ picture: Picture, _ candidate: Candidate) -> MarkupNode {
    let caption = [HTML.text(candidate.file ?? candidate.name), " ", subject.id(candidate.artifact.digest)]
    let summary = FiguresSection.summary(candidate.stage).map { ", which \($0)" } ?? ""
    let description = "\(candidate.name): a picture of the stage \(candidate.stage.name)\(summary)"
    return MarkupNode(
      "figure", [("class", "paper")], [picture.node(description), MarkupNode("figcaption", [], caption)])
  }

  /// What the stage does, where its kind says it.
  private static func summary(_ stage: StageSummary) -> String? {
    stage.kind.name == "command" || stage.kind.summary.isEmpty ? nil : stage.kind.summary
  }

  private func list(_ omitted: [Candidate]) -> MarkupNode {
    var table = DataTable(
      "Pictures that are too large for this file",
      columns: [.init("picture"), .init("ID"), .init("bytes", isNumber: true)])
    table.rows = omitted.prefix(ValueTable.mostRows).map {
      [[HTML.text($0.name)], [subject.id($0.artifact.digest)], [HTML.number(.integer($0.size))]]
    }
    table.omitted = max(0, omitted.count - ValueTable.mostRows)
    return table.node
  }

  /// Nil where it is no picture, or damaged: the audit tells.
  private func picture(_ candidate: Candidate) -> Picture? {
    guard (try? subject.store.verify(candidate.artifact)) != nil,
      let bytes = try? Files.read(candidate.path, limit: Picture.fileLimit)
    else { return nil }
    return Picture(bytes)
  }

  // MARK: Which

  private func candidates(of stage: StageSummary) -> [Candidate] {
    guard !stage.kind.isSource else { return [] }
    return stage.kind.outputs.filter { [FileFormat.name, TreeFormat.name].contains($0.kind) }.flatMap { port in
      subject.artifacts(port.name, of: stage.name).prefix(FiguresSection.mostInstances)
        .flatMap { instance, artifact -> [Candidate] in
          guard let artifact, !artifact.isExternal else { return [] }
          return candidates(stage, port.name, instance, artifact)
        }
    }
  }

  private func candidates(
    _ stage: StageSummary, _ output: String, _ instance: String, _ artifact: Artifact
  ) -> [Candidate] {
    let path = subject.store.objectPath(artifact)
    func candidate(_ file: String?, _ path: String, _ size: Int) -> Candidate {
      Candidate(
        stage: stage, output: output, instance: instance, artifact: artifact, file: file, path: path, size: size)
    }
    guard artifact.kind == TreeFormat.name else {
      guard let size = try? Files.status(path).size, size > 0, FiguresSection.startsLikePicture(path) else { return [] }
      return [candidate(nil, path, size)]
    }
    guard let entries = try? TreeFormat.manifest(of: path).entries else { return [] }
    let pictures = entries.filter { Picture.isNamedSo($0.path) }
    // Data sets and predictions are trees with pictures too; they have other files, and other stages read them.
    let isResult = pictures.count == entries.count || !subject.isRead(output, of: stage.name)
    guard isResult else { return [] }
    return pictures.prefix(FiguresSection.mostFiles).map {
      candidate($0.path, "\(path)/\(TreeFormat.filesName)/\($0.path)", $0.size)
    }
  }

  /// So that large files of other kinds are not read.
  private static func startsLikePicture(_ path: String) -> Bool {
    guard let head = try? Files.head(of: path, bytes: 2000) else { return false }
    return head.starts(with: [0x89, 0x50, 0x4E, 0x47]) || String(decoding: head, as: UTF8.self).contains("<svg")
  }
}
