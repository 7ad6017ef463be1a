import Determinism
import PipelineModel

extension CommandStage {
  /// Starts a shell where the command would run: the same inputs, programs, variables and sandbox, in the folder of its
  /// last failure or in a fresh one. What is done there is dropped.
  /// - Parameter words: a program to start instead.
  /// - Returns: the exit status.
  func enter(_ context: StageContext, words: [String]) throws -> Int32 {
    let sandbox = try Sandbox.find(context.details.sandbox)
    let folder = try layOut(context, isConfined: sandbox.isSandbox)
    defer { try? removeTree(folder.path) }
    if let kept = context.details.keptFolder, Files.exists(kept) { try folder.add(from: kept, for: command) }
    let place = context.details.tools.environment
    var words = words.isEmpty ? [Files.exists("/bin/bash") && place?.root == nil ? "/bin/bash" : "/bin/sh"] : words
    if words[0].utf8.first != UInt8(ascii: "/") {
      let found = context.details.tools.paths[words[0]]?.path ?? place?.program(words[0])
      guard let program = found ?? ToolFinder(searchPath: ToolFinder.standardPath).find(words[0]) else {
        throw PipelineError(
          .missingTool, "no program '\(words[0])' in the environment or in \(ToolFinder.standardPath)")
      }
      words[0] = program
    }
    return try process(folder, in: sandbox, context, other: words, keepsTerminal: true).runOnTerminal()
  }
}

extension WorkingFolder {
  /// Adds what a command left that failed.
  func add(from kept: String, for command: Command) throws {
    let inputs = command.places.values
    for name in try FileIO.list(kept) where !inputs.contains(where: { RelativePath.contains(name, $0) }) {
      var pending = [name]
      while let path = pending.popLast() {
        switch try Files.type("\(kept)/\(path)") {
        case .folder:
          try Files.makeFolder("\(self.path)/\(path)")
          pending += try FileIO.list("\(kept)/\(path)").map { "\(path)/\($0)" }
        case .file: try Files.copy("\(kept)/\(path)", to: "\(self.path)/\(path)", followsLinks: false)
        default: break
        }
      }
    }
  }
}
