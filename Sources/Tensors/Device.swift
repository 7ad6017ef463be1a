import Determinism
import Synchronization

/// An OpenCL device that computes tensors with the bits of the processor. It is chosen for the whole process, and is in no
/// key: results are the same. An operation that has no kernel runs on the processor.
public final class Device: Sendable {
  let context: DeviceContext
  let tuning: DeviceTuning

  init(_ context: DeviceContext, tuning: DeviceTuning) { (self.context, self.tuning) = (context, tuning) }

  /// `cpu`, `opencl`, or `opencl:1`.
  public enum Name: Sendable, Hashable {
    case cpu
    /// The number of a device, in the order of `Device.all`.
    case opencl(Int)

    /// Nil where the text is no name.
    public init?(_ text: String) {
      if text == "cpu" {
        self = .cpu
      } else if text == "opencl" {
        self = .opencl(0)
      } else if text.hasPrefix("opencl:"), let index = Int(text.dropFirst(7)), index >= 0, text == "opencl:\(index)" {
        self = .opencl(index)
      } else {
        return nil
      }
    }
  }

  // MARK: Choice

  /// All devices, also those that can't be used.
  /// - Throws: `DeviceError` where there is no loader, no driver, or no device.
  public static func all() throws -> [DeviceDescription] {
    try OpenCL.devices().enumerated().map { DeviceDescription(index: $0.offset, handle: $0.element) }
  }

  /// Makes a device compute all tensors of this process. Call it before anything is computed.
  /// - Throws: `DeviceError` where the device is missing, lacks something, or fails the probe.
  public static func use(_ name: Name) throws {
    guard case .opencl(let index) = name else { return }
    let device = try open(index)
    chosen.withLock { $0 = device }
    isInUse.store(true, ordering: .releasing)
  }

  /// Starts a device and tries its arithmetic.
  static func open(_ index: Int) throws -> Device {
    let devices = try all()
    guard devices.indices.contains(index) else {
      let names = devices.map { "opencl:\($0.index) (\($0.name))" }.joined(separator: ", ")
      throw DeviceError("no device opencl:\(index); there is \(names)")
    }
    let context = try DeviceContext(devices[index]) { TensorMemory.end($0) }
    try DeviceProbe.check(context)
    return Device(context, tuning: DeviceTuning(for: devices[index]))
  }

  private static let chosen = Mutex<Device?>(nil)
  private static let isInUse = Atomic(false)
  /// Of tests, which compare devices with the processor in one process.
  @TaskLocal private static var temporary: Device?

  /// The device of this process, nil for the processor.
  static var current: Device? {
    isInUse.load(ordering: .relaxed) ? temporary ?? chosen.withLock { $0 } : nil
  }

  /// Computes on a device what `body` does.
  static func with<R>(_ device: Device, _ body: () throws -> R) rethrows -> R {
    isInUse.store(true, ordering: .releasing)
    return try $temporary.withValue(device, operation: body)
  }

  /// What the device of this process is and did.
  public struct Report: Sendable {
    /// `opencl:0 (its name)`.
    public let name: String
    public let traffic: DeviceTraffic
    /// Bytes of tensors at most.
    public let peakMemory: Int
  }

  /// Nil where the processor computes.
  public static var report: Report? {
    guard let context = chosen.withLock({ $0 })?.context else { return nil }
    return Report(name: context.description.title, traffic: context.traffic, peakMemory: context.memory.use.peak)
  }

  /// Why a device can't be used; nil where it can: it has what the contract needs, and its arithmetic was tried.
  public static func problem(of description: DeviceDescription) -> String? {
    do {
      try DeviceProbe.check(DeviceContext(description) { TensorMemory.end($0) })
      return nil
    } catch {
      return "\(error)"
    }
  }

  // MARK: Operations

  /// Whether an operation on these tensors runs here: it does where one of them is here alone, or where they are large
  /// enough to be worth a kernel. Both give the same bits. Indices in kernels have 32 bits.
  func takes(_ tensors: Tensor?...) -> Bool {
    var largest = 0
    var isAway = false
    for case .some(let tensor) in tensors {
      largest = max(largest, tensor.count)
      isAway = isAway || tensor.isAway
    }
    return largest < 1 << 31 && largest > 0 && (isAway || largest >= tuning.least)
  }

  /// Starts a kernel with an item for each of `count` elements.
  func each(_ count: Int, _ program: DeviceProgram, _ kernel: String, _ arguments: [DeviceArgument]) {
    let items = tuning.flatItems
    context.launch(program, kernel, groups: ((count + items - 1) / items, 1, 1), items: items, arguments)
  }

  func place(_ tensor: Tensor) -> DeviceArgument { .place(tensor.place(on: context)) }

  /// A tensor with unspecified content.
  func tensor(_ shape: Shape) -> Tensor { Tensor(uninitialized: shape, on: context) }

  /// Memory for `count` numbers in binary64, with unspecified content.
  func doubles(_ count: Int) -> DevicePlace { DevicePlace(context.allocate(8 * count), of: Double.self) }

  /// Waits for the values of memory in binary64.
  func values(_ place: DevicePlace, _ count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      context.read(place.block, into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: 8 * count))
      initialized = count
    }
  }
}

/// What makes kernels fast on a device and does not change a bit.
struct DeviceTuning: Sendable, Hashable {
  /// Items of a group of elementwise kernels.
  var flatItems = 256
  /// The tiles of products, largest first: the largest is taken whose groups keep the device busy.
  var tiles = [Tile(), Tile(rows: 64, columns: 64, steps: 8, itemRows: 4, itemColumns: 4)]
  /// Groups that keep the device busy.
  var busyGroups = 64
  /// Operations on tensors of the host with fewer elements stay there.
  var least = 4096

  struct Tile: Sendable, Hashable {
    var rows = 128
    var columns = 128
    var steps = 8
    var itemRows = 8
    var itemColumns = 8
    /// Whether the elements of an item are neighbours, which suits processors.
    var isTogether = false

    static let processor = Tile(rows: 64, columns: 64, steps: 16, itemRows: 8, itemColumns: 16, isTogether: true)

    func groups(_ rows: Int, _ columns: Int) -> Int {
      (rows + self.rows - 1) / self.rows * ((columns + self.columns - 1) / self.columns)
    }

    /// Items of a group.
    var items: Int { rows / itemRows * (columns / itemColumns) }

    var macros: String {
      "-DMT=\(rows) -DNT=\(columns) -DKT=\(steps) -DRM=\(itemRows) -DRN=\(itemColumns)"
        + (isTogether ? " -DTOGETHER" : "")
    }
  }

  init() {}

  init(for device: DeviceDescription) {
    // Two groups of 256 items on each unit hide what one of them waits for.
    busyGroups = 2 * device.units
    if device.isProcessor { tiles = [Tile.processor] }
  }

  /// The tile for `layers` matrices.
  func tile(rows: Int, columns: Int, layers: Int) -> Tile {
    tiles.first { $0.groups(rows, columns) * layers >= busyGroups } ?? tiles.last!
  }
}
