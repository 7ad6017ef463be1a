import ArgumentParser
import Determinism
import Foundation
import Tensors

struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the OpenCL devices of this machine, and which of them give the processor's bits.",
    discussion: """
      Tries the arithmetic of every device: subnormal numbers, fused and separate multiply-add, division, square root, in
      both precisions. 'run --device opencl:N' computes on one of them; 'doctor' trains a small network on each.

      With --check, compares every operation on a device with the processor, in all bits, and exits with 2 where one
      differs; with --bench, times a few.

      EXAMPLES:
        autopanoptic devices
        autopanoptic devices --check opencl:0 --bench opencl:0
        autopanoptic run pipelines/coco.yaml --device opencl:0
      """)

  @Option(help: ArgumentHelp("Compare all operations on this device with the processor.", valueName: "name"))
  var check: Device.Name?

  @Option(help: ArgumentHelp("Time operations on this device.", valueName: "name"))
  var bench: Device.Name?

  @Flag(help: "Print JSON: the list of devices.")
  var json = false

  func validate() throws {
    if json, check != nil || bench != nil { throw ValidationError("--json is for the list of devices") }
    if check == .cpu || bench == .cpu { throw ValidationError("cpu: expected opencl or opencl:N") }
  }

  func run() throws {
    guard check == nil, bench == nil else {
      let differences = try check.map { try Devices.compare($0) } ?? 0
      if let bench { try Devices.measure(bench) }
      if differences > 0 { throw ExitCode(ExitCodes.difference) }
      return
    }
    let devices = try Device.all().map { (description: $0, problem: Device.problem(of: $0)) }
    if json {
      return Output.json(CanonicalValue.array(devices.map { Devices.value($0.description, problem: $0.problem) }))
    }
    for (device, problem) in devices {
      Output.line("opencl:\(device.index)  \(device.name)")
      Output.line("  \(device.vendor), \(device.version), driver \(device.driver)")
      Output.line(
        "  \(Units.bytes(device.memory)) of memory, \(Units.bytes(device.largestAllocation)) in one piece, "
          + "\(Units.count(device.units, "compute unit"))")
      Output.line("  \(problem ?? "gives the processor's bits in all operations that were tried")")
    }
  }

  /// - Returns: the number of operations with other bits.
  private static func compare(_ name: Device.Name) throws -> Int {
    guard case .opencl(let index) = name else { return 0 }
    var differences = 0
    try DeviceCheck.compare(index) { finding in
      let text = finding.difference.map { "DIFFERS: \($0)" } ?? "equal, \(Units.count(finding.count, "element"))"
      Output.line("\(Units.pad(finding.name, 32))  \(text)")
      if finding.difference != nil { differences += 1 }
    }
    return differences
  }

  private static func measure(_ name: Device.Name) throws {
    guard case .opencl(let index) = name else { return }
    try DeviceCheck.measure(index, clock: { ProcessInfo.processInfo.systemUptime }) { speed in
      Output.line(
        "\(Units.pad(speed.name, 52))  \(String(format: "%.3f ms", speed.seconds * 1000)), \(speed.rate)")
    }
  }

  private static func value(_ device: DeviceDescription, problem: String?) -> CanonicalValue {
    [
      "name": .string("opencl:\(device.index)"), "title": .string(device.name), "vendor": .string(device.vendor),
      "version": .string(device.version), "driver": .string(device.driver), "memory": .integer(device.memory),
      "largest-allocation": .integer(device.largestAllocation), "compute-units": .integer(device.units),
      "problem": problem.map { .string($0) } ?? .null,
    ]
  }
}
