import Determinism
import PipelineModel

extension Command {
  /// Programs that a script for the shell names by their paths, without those that are declared. Those that it names by
  /// name alone are not found unless they are declared.
  var undeclaredPrograms: [String] {
    guard words.count == 4, words[0] == "sh", words[1] == "-eu" else { return [] }
    let separators = Set(" \t\n;|&()<>\"'`$={}".utf8)
    let finder = ToolFinder(searchPath: "")
    var found = [String]()
    for word in words[3].utf8.split(whereSeparator: { separators.contains($0) }) where word.first == UInt8(ascii: "/") {
      let path = String(decoding: word, as: UTF8.self)
      let isDeclared = tools.contains { $0.hasSameBytes(as: path) }
      if !isDeclared, !found.contains(where: { $0.hasSameBytes(as: path) }), finder.find(path) != nil {
        found.append(path)
      }
    }
    return found
  }
}
