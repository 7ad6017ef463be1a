import COpenCL

/// What a device says of itself.
public struct DeviceDescription: Sendable {
  /// By which `--device opencl:index` names it.
  public let index: Int
  public let name: String
  public let vendor: String
  public let driver: String
  public let version: String
  /// Bytes.
  public let memory: Int
  /// Bytes of the largest piece of memory.
  public let largestAllocation: Int
  /// Bytes that the items of a group share.
  public let localMemory: Int
  public let units: Int
  /// The most items of a group.
  public let mostItems: Int
  /// What the contract needs and the device does not offer: nothing where it can be tried.
  public let lacks: [String]
  let isProcessor: Bool

  /// `opencl:0 (its name)`.
  public var title: String { "opencl:\(index) (\(name))" }

  let handle: DeviceHandle

  init(index: Int, handle: DeviceHandle) {
    self.index = index
    self.handle = handle
    func number(_ kind: copencl_number_kind) -> UInt64 {
      var value: UInt64 = 0
      return copencl_number(handle.pointer, kind, &value) == 0 ? value : 0
    }
    func text(_ kind: copencl_text_kind) -> String {
      var bytes = [CChar](repeating: 0, count: 256)
      guard copencl_text(handle.pointer, kind, &bytes, bytes.count) == 0 else { return "unknown" }
      // What comes from a driver goes to terminals.
      return String(String.UnicodeScalarView(OpenCL.text(bytes).unicodeScalars.map { $0.value < 32 ? " " : $0 }))
        .trimmingPrefix { $0 == " " }.description
    }
    name = text(COPENCL_NAME)
    vendor = text(COPENCL_VENDOR)
    driver = text(COPENCL_DRIVER)
    version = text(COPENCL_VERSION)
    memory = Int(clamping: number(COPENCL_MEMORY))
    largestAllocation = Int(clamping: number(COPENCL_LARGEST_ALLOCATION))
    localMemory = Int(clamping: number(COPENCL_LOCAL_MEMORY))
    units = Int(clamping: number(COPENCL_UNITS))
    mostItems = Int(clamping: number(COPENCL_MOST_ITEMS))
    isProcessor = number(COPENCL_TYPE) & 2 != 0
    lacks = DeviceDescription.lacks(number)
  }

  private static func lacks(_ number: (copencl_number_kind) -> UInt64) -> [String] {
    var lacks: [String] = []
    if number(COPENCL_AVAILABLE) == 0 { lacks.append("it is not available") }
    if number(COPENCL_COMPILES) == 0 { lacks.append("no compiler") }
    if number(COPENCL_LITTLE_ENDIAN) == 0 { lacks.append("another byte order") }
    let single = number(COPENCL_SINGLE)
    let double = number(COPENCL_DOUBLE)
    if double == 0 { lacks.append("no binary64") }
    let needed: [(Int, String)] = [
      (COPENCL_DENORMALS, "subnormal numbers"), (COPENCL_INFINITIES, "infinities"),
      (COPENCL_NEAREST, "rounding to nearest"),
      (COPENCL_FMA, "a fused multiply-add"), (COPENCL_CORRECT_DIVISION, "correctly rounded division"),
    ].map { (Int($0.0), $0.1) }
    for (bit, name) in needed {
      if single & UInt64(bit) == 0 { lacks.append("no \(name) in binary32") }
      // Division in binary64 is always correctly rounded.
      if double != 0, bit != Int(COPENCL_CORRECT_DIVISION), double & UInt64(bit) == 0 {
        lacks.append("no \(name) in binary64")
      }
    }
    return lacks
  }
}
