import Determinism
import Foundation
import Tensors

/// Selects the fastest kernels of OpenBLAS. The library treats a processor newer than itself as one without vector
/// instructions, and the kernels named by the environment need not be the fastest. So all candidates are tried, each in
/// its own process, since the library selects its kernels once.
enum OpenBLASCore {
  static let variable = "OPENBLAS_CORETYPE"

  /// The library's own choice, then the names it knows for processors with AVX-512, AVX2 and AVX.
  private static let names: [String?] = [
    nil, "SapphireRapids", "Cooperlake", "SkylakeX", "Zen", "Haswell", "Sandybridge",
  ]

  private struct Trial {
    let name: String?
    /// The core type as the library reports it.
    let core: String
    let seconds: Double
  }

  /// Sets the environment to the fastest kernels; call it before the library is loaded.
  static func chooseFastest() {
    let own = ProcessInfo.processInfo.environment[variable]
    let names = names.contains(own) ? names : names + [own]
    guard let best = names.compactMap(trial).min(by: { $0.seconds < $1.seconds }) else { return }
    if let name = best.name { setenv(variable, name, 1) } else { unsetenv(variable) }
    say("OpenBLAS: the kernels for \(best.core) are the fastest of \(names.count) tried")
  }

  /// Nil where the process fails: kernels for other processors may execute illegal instructions.
  private static func trial(_ name: String?) -> Trial? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["--openblas-child"]
    process.environment = ProcessInfo.processInfo.environment.filter { $0.key != variable }
    if let name { process.environment?[variable] = name }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let words = text.split(whereSeparator: \.isWhitespace)
    guard process.terminationReason == .exit, process.terminationStatus == 0, words.count == 2,
      let seconds = Double(words[0])
    else { return nil }
    return Trial(name: name, core: String(words[1]), seconds: seconds)
  }

  /// Runs in the child: prints the seconds of a product and the core type.
  static func child() {
    guard let library = OpenBLASLibrary() else { exit(1) }
    emit("\(library.seconds(ofProductOf: 768, threads: 1)) \(library.core)")
  }
}
