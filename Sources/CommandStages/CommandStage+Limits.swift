import Determinism
import Glibc
import PipelineModel

extension CommandStage {
  /// - Throws: where the system, or bubblewrap, takes no command as long as this.
  func refuseLongWords(_ context: StageContext, isConfined: Bool) throws {
    func long(_ what: String) -> PipelineError {
      PipelineError(
        .commandFailed,
        "'\(context.details.stageName)': \(what); put what is long into a file, and let the program read that")
    }
    // MAX_ARG_STRLEN of the kernel, with the zero at the end.
    let most = 131_071
    var bytes = 0
    for (i, word) in command.words.enumerated() {
      if word.utf8.count > most {
        throw long("word \(i + 1) of its 'run' has \(word.utf8.count) bytes, and the system takes \(most) at most")
      }
      bytes += word.utf8.count + 9
    }
    let variables = command.environment.merging(command.parameterVariables) { own, _ in own }
    for (name, value) in variables.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      let count = name.utf8.count + value.utf8.count + 1
      if count > most {
        let advice =
          command.environment[name] == nil ? "; the file that PARAMETERS names takes a list of any length" : ""
        throw long("its variable '\(name)' has \(count) bytes, and the system takes \(most) at most\(advice)")
      }
      bytes += count + 9
    }
    let limit = sysconf(Int32(_SC_ARG_MAX)) - 16_384
    if bytes > limit {
      throw long("its 'run' and 'environment' have \(bytes) bytes, and the system takes about \(limit)")
    }
    // MAX_ARGS of bubblewrap, for its own words and these; a variable takes three.
    let (own, all) = (4000, 9000)
    let count = command.words.count + 3 * variables.count
    if isConfined, count > all - own {
      throw long("its 'run' and 'environment' are \(count) words, and bubblewrap takes about \(all - own)")
    }
  }
}
