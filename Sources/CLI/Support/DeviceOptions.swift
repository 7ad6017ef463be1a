import ArgumentParser
import Foundation
import Tensors

extension Device.Name: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// Where tensors are computed. Results and keys are the same everywhere.
struct DeviceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What computes tensors: cpu, opencl or opencl:N, as 'devices' lists them; all give the same bits (default: "
        + "AUTOPANOPTIC_DEVICE, else cpu).", valueName: "name"))
  var device: Device.Name?

  /// Starts the device, where this process computes. Call it before anything is computed.
  /// - Parameter isLocal: whether it does; else jobs of a cluster do.
  func apply(isLocal: Bool = true) throws {
    guard isLocal else {
      if device == nil || device == .cpu { return }
      throw ValidationError(
        "--device is for stages on this machine; jobs of a cluster take AUTOPANOPTIC_DEVICE from their environment")
    }
    let variable = "AUTOPANOPTIC_DEVICE"
    var name = device
    if name == nil, let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty {
      name = Device.Name(text)
      guard name != nil else {
        throw ValidationError("\(variable)=\(text.clipped(to: 100)): expected cpu, opencl or opencl:N")
      }
    }
    try Device.use(name ?? .cpu)
  }

  /// One line on what a device did.
  static func printReport() {
    guard let report = Device.report else { return }
    let traffic = report.traffic
    Output.error(
      "device \(report.name): \(Units.count(traffic.launches, "kernel")), \(Units.bytes(traffic.written)) sent in "
        + "\(Units.count(traffic.writes, "piece")), \(Units.bytes(traffic.read)) fetched in \(traffic.reads), at most "
        + "\(Units.bytes(report.peakMemory)) of its memory")
  }
}
