import Determinism
import Foundation
import PipelineModel

/// Blocks of base64 between lines, each with a line of text before it.
enum PEM {
  struct Block {
    var title: String
    var label: String
    var bytes: [UInt8]

    /// What follows the prefix; nil where the block is something else.
    func content(label: String, prefix: [UInt8]) -> [UInt8]? {
      guard self.label == label, bytes.starts(with: prefix) else { return nil }
      return Array(bytes.dropFirst(prefix.count))
    }
  }

  static func text(label: String, _ bytes: [UInt8]) -> String {
    "-----BEGIN \(label)-----\n\(Data(bytes).base64EncodedString())\n-----END \(label)-----\n"
  }

  static func blocks(in text: String) throws -> [Block] {
    var blocks = [Block]()
    var title = ""
    var open: (label: String, base64: String)?
    for line in TextLines.split(text).map({ $0.trimmingCharacters(in: .whitespaces) }) {
      if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----"), open == nil {
        open = (String(line.dropFirst(11).dropLast(5)), "")
      } else if let block = open, line == "-----END \(block.label)-----" {
        guard let data = Data(base64Encoded: block.base64) else {
          throw PipelineError(.badKey, "the block '\(block.label)' of '\(title)' is not base64")
        }
        blocks.append(Block(title: title, label: block.label, bytes: Array(data)))
        (open, title) = (nil, "")
      } else if open != nil {
        open!.base64 += line
      } else if !line.isEmpty {
        title = line
      }
    }
    guard open == nil else { throw PipelineError(.badKey, "the last block has no end") }
    return blocks
  }
}
