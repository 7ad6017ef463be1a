import Determinism
import Foundation
import Stages
import Tensors

/// The numerics self-test in processes of its own: a process has one instruction set.
enum SelfTest {
  /// The first argument that makes the executable such a process.
  static let command = "numerics-self-test"

  /// What the child does: prints the digest.
  /// - Parameter arguments: the number of threads, then perhaps a device.
  static func serve(_ arguments: [String]) -> Int32 {
    guard let threads = arguments.first.flatMap(Int.init), threads >= 1 else { return 64 }
    Parallel.configure(threads: threads)
    if arguments.count > 1 {
      guard let device = Device.Name(arguments[1]), (try? Device.use(device)) != nil else { return 1 }
    }
    Output.line(NumericsSelfTest.digest().hex)
    DeviceOptions.printReport()
    return 0
  }

  /// What every instruction set of this processor finds on one, two and `threads` threads.
  static func findings(threads: Int) -> [NumericsSelfTest.Finding] {
    Backend.supported.flatMap { set in
      Set([1, 2, threads]).sorted().map { count in
        NumericsSelfTest.Finding(
          instructionSet: set.rawValue, threads: count, digest: digest(set.rawValue, threads: count))
      }
    }
  }

  /// What a device of OpenCL finds.
  static func finding(on device: DeviceDescription, threads: Int) -> NumericsSelfTest.Finding {
    let name = "opencl:\(device.index)"
    return NumericsSelfTest.Finding(
      instructionSet: name, threads: threads,
      digest: digest(Backend.instructionSet.rawValue, threads: threads, device: name))
  }

  private static func digest(_ instructionSet: String, threads: Int, device: String? = nil) -> String? {
    guard let executable = Bundle.main.executableURL else { return nil }
    let process = Process()
    process.executableURL = executable
    process.arguments = [command, String(threads)] + (device.map { [$0] } ?? [])
    process.environment = ProcessInfo.processInfo.environment.merging(["AUTOPANOPTIC_ISA": instructionSet]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }
}
