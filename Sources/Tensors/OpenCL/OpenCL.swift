import COpenCL
import Foundation

/// A handle of OpenCL.
struct DeviceHandle: @unchecked Sendable {
  // Invariant: OpenCL's objects may be used by any thread; kernels, which may not, are behind a lock.
  let pointer: UnsafeMutableRawPointer
}

/// OpenCL, loaded when a device is first asked for; never linked.
enum OpenCL {
  /// Opens the loader.
  /// - Throws: `DeviceError` where there is none.
  static func open() throws { try opened.get() }

  private static let opened: Result<Void, DeviceError> = {
    findDriver()
    var reasons: [String] = []
    for name in ["libOpenCL.so.1", "libOpenCL.so"] {
      var reason = [CChar](repeating: 0, count: 512)
      if copencl_open(name, &reason, reason.count) == 0 { return .success(()) }
      reasons.append(text(reason))
    }
    return .failure(
      DeviceError(
        "no OpenCL on this machine (\(reasons[0])); install the loader, as ocl-icd-libopencl1 of Debian, and a driver"))
  }()

  /// Where drivers register, as loaders know it.
  private static let registry = "/etc/OpenCL/vendors"

  /// Containers often have a driver and no file that names it: then the loader is told of it.
  private static func findDriver() {
    let registered = (try? FileManager.default.contentsOfDirectory(atPath: registry)) ?? []
    guard !registered.contains(where: { $0.hasSuffix(".icd") }), variables.allSatisfy({ getenv($0) == nil }) else {
      return
    }
    for name in ["libnvidia-opencl.so.1", "libamdocl64.so", "libpocl.so.2"] where dlopen(name, RTLD_LAZY) != nil {
      for variable in variables { setenv(variable, name, 1) }
      return
    }
  }

  /// By which loaders, Debian's and Khronos's, are told of a driver.
  private static let variables = ["OCL_ICD_VENDORS", "OCL_ICD_FILENAMES"]

  /// All devices of all platforms, in the order of the loader.
  /// - Throws: `DeviceError` where there is no loader, no driver, or no device.
  static func devices() throws -> [DeviceHandle] {
    try open()
    var platforms = [UnsafeMutableRawPointer?](repeating: nil, count: 32)
    var count: UInt32 = 0
    try check(copencl_platforms(32, &platforms, &count), "listing platforms")
    guard count > 0 else {
      let source = variables.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }.first
      throw DeviceError(
        "OpenCL has no driver: \(source ?? registry) names none that can be loaded; install the driver of the device, "
          + "or PoCL (pocl-opencl-icd of Debian), which computes on the processor")
    }
    var found: [DeviceHandle] = []
    for platform in platforms.prefix(Int(count)) {
      var devices = [UnsafeMutableRawPointer?](repeating: nil, count: 64)
      try check(copencl_devices(platform, 64, &devices, &count), "listing devices")
      found += devices.prefix(Int(count)).compactMap { $0.map(DeviceHandle.init) }
    }
    guard !found.isEmpty else { throw DeviceError("OpenCL has a driver and no device: is the device visible here?") }
    return found
  }

  /// - Throws: `DeviceError` with the code's name.
  static func check(_ code: Int32, _ action: String) throws {
    if code != 0 { throw DeviceError("OpenCL: \(action): \(name(code))") }
  }

  /// `OUT_OF_RESOURCES (-5)`.
  static func name(_ code: Int32) -> String { "\(String(cString: copencl_error(code))) (\(code))" }

  static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
