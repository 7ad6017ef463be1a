import ArgumentParser
import Determinism
import Foundation
import Pipelines
import Stages
import Tensors

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine this machine: can it reproduce published results? Libraries, numerics, disk, store.",
    discussion: """
      Trains a tiny network with every instruction set of this processor, on one, two and all threads, and compares
      the digest of its weights with the published one. The same on every OpenCL device, where there are any. Tries what the file system of the store can do: locks, renames,
      links, fsync. Takes seconds. Exits with 1 if anything is not as it must be.

      With --peer, on two machines that share the store, only this: do locks of one reach the other, and how late does
      one see what the other wrote? The first waits for the second, which prints what it found.

      EXAMPLES:
        autopanoptic doctor
        autopanoptic doctor --store /data/artifacts --json
        autopanoptic doctor --store /nfs/artifacts --peer
      """)

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Try the store together with another machine that runs the same command.")
  var peer = false

  @OptionGroup var stores: StoreOptions
  @OptionGroup var machine: MachineOptions

  private struct Line {
    let name: String
    let text: String
    var isFine = true
  }

  func run() throws {
    let threads = try machine.apply()
    if peer { return try tryWithPeer() }
    var lines = [
      Line(name: "program", text: "autopanoptic \(Version.text)"),
      Line(name: "system", text: ProcessInfo.processInfo.operatingSystemVersionString),
      Line(
        name: "threads", text: "\(threads) of \(ProcessInfo.processInfo.activeProcessorCount) processors"),
      Line(name: "memory", text: "\(ProcessInfo.processInfo.physicalMemory >> 20) MiB"),
      Line(
        name: "instruction set",
        text: "\(Backend.instructionSet.rawValue) (supported: "
          + "\(Backend.supported.map(\.rawValue).joined(separator: ", ")))"),
    ]
    for check in Stages.healthChecks {
      do {
        lines.append(Line(name: check.name, text: try check.run()))
      } catch {
        lines.append(Line(name: check.name, text: "\(error)", isFine: false))
      }
    }
    do {
      lines.append(Line(name: "numerics", text: try NumericsSelfTest.summary(of: SelfTest.findings(threads: threads))))
    } catch {
      lines.append(Line(name: "numerics", text: "\(error)", isFine: false))
    }
    lines += deviceLines(threads: threads)
    let reproduces = lines.allSatisfy(\.isFine)
    lines.append(
      Line(
        name: "verdict",
        text: reproduces
          ? "this machine can reproduce published results, bit for bit"
          : "this machine can NOT reproduce published results; see the lines with '!'",
        isFine: reproduces))
    do {
      let store = try stores.open()
      for item in try store.health() { lines.append(Line(name: item.name, text: item.text)) }
      for item in try StoreProbe(store: store).findings() {
        lines.append(Line(name: item.name, text: item.text, isFine: item.isFine))
      }
      store.endScratch()
    } catch {
      lines.append(Line(name: "store", text: "\(error)", isFine: false))
    }
    try finish(lines)
  }

  /// What every device of OpenCL gives. None is needed, so that none makes the machine unfit.
  private func deviceLines(threads: Int) -> [Line] {
    do {
      return try Device.all().map { device in
        let name = "opencl:\(device.index)"
        if let problem = Device.problem(of: device) { return Line(name: name, text: "not usable: \(problem)") }
        do {
          let finding = SelfTest.finding(on: device, threads: threads)
          return Line(name: name, text: "\(device.name): \(try NumericsSelfTest.summary(of: [finding]))")
        } catch {
          return Line(name: name, text: "\(device.name) can NOT reproduce published results: \(error)")
        }
      }
    } catch {
      return [Line(name: "devices", text: "none: \(error)")]
    }
  }

  private func tryWithPeer() throws {
    Signals.install()
    let peer = StorePeer(store: try stores.open(), interruption: Signals.interruption) { Output.error($0) }
    try finish(peer.findings().map { Line(name: $0.name, text: $0.text, isFine: $0.isFine) })
  }

  private func finish(_ lines: [Line]) throws {
    report(lines)
    if !lines.allSatisfy(\.isFine) { throw ExitCode(ExitCodes.failure) }
  }

  private func report(_ lines: [Line]) {
    if json {
      let items = lines.map { line -> CanonicalValue in
        ["name": .string(line.name), "text": .string(line.text), "fine": .bool(line.isFine)]
      }
      Output.json(CanonicalValue.array(items))
      return
    }
    let width = Units.width(lines.map(\.name))
    for line in lines {
      Output.line("\(line.isFine ? "  " : "! ")\(Units.pad(line.name, width))  \(line.text)")
    }
  }
}
