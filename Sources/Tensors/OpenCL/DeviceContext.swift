import COpenCL
import Foundation
import Synchronization

/// A program of the device: one of the sources, with macros that set the sizes of its tiles.
struct DeviceProgram: Hashable, Sendable {
  let name: String
  var macros = ""
}

/// The place of a tensor's first element, and an argument of kernels: a slab, and an index in elements. It keeps the block
/// until the kernel is in the queue.
struct DevicePlace: Sendable {
  let block: DeviceBlock
  private(set) var index: UInt64

  /// - Parameter from: in elements.
  init<Element>(_ block: DeviceBlock, of type: Element.Type, from: Int = 0) {
    self.block = block
    index = UInt64(block.start / MemoryLayout<Element>.size + from)
  }

  /// - Parameter count: in elements.
  mutating func advance(by count: Int) { index += UInt64(count) }

  func advanced(by count: Int) -> DevicePlace {
    var place = self
    place.advance(by: count)
    return place
  }
}

/// An argument of a kernel.
enum DeviceArgument {
  case int(Int)
  case float(Float)
  case double(Double)
  case place(DevicePlace)
}

/// What went between host and device.
public struct DeviceTraffic: Sendable, Hashable {
  /// Bytes to the device, and how often.
  public var written = 0
  public var writes = 0
  /// Bytes to the host, and how often the host waited for them.
  public var read = 0
  public var reads = 0
  public var launches = 0
}

/// A device with its queue, its memory and its programs. Commands run in the order in which they are given; only reads
/// wait.
final class DeviceContext: Sendable {
  let description: DeviceDescription
  let memory: DeviceMemory
  private let context: DeviceHandle
  private let queue: DeviceHandle
  /// Ends the program with a message: tensor operations can't throw.
  private let fail: @Sendable (String) -> Never

  private struct KernelName: Hashable {
    let program: DeviceProgram
    let kernel: String
  }

  private struct State {
    var programs: [DeviceProgram: DeviceHandle] = [:]
    var kernels: [KernelName: DeviceHandle] = [:]
    var traffic = DeviceTraffic()
    /// Copies of what is on its way to the device, oldest first.
    var staged: [Staged] = []
    var stagedBytes = 0
    /// Small tables, such as the taps of a convolution, by their content.
    var tables: [[Int32]: DeviceBlock] = [:]
  }

  private struct Staged {
    let event: DeviceHandle
    let copy: DeviceHandle
    let bytes: Int
  }

  /// Beyond this many bytes on their way a write waits.
  private static let mostStaged = 1 << 28

  private let state = Mutex(State())

  /// Changes the text of a source: for tests that must notice it.
  private let edit: (@Sendable (_ source: String, _ text: String) -> String)?

  /// - Throws: `DeviceError` where the device lacks something, or can't be started.
  init(
    _ description: DeviceDescription, editing edit: (@Sendable (String, String) -> String)? = nil,
    fail: @escaping @Sendable (String) -> Never
  ) throws {
    guard description.lacks.isEmpty else {
      throw DeviceError(
        "device \(description.title) can't give the processor's bits: "
          + description.lacks.joined(separator: ", "))
    }
    self.description = description
    self.fail = fail
    self.edit = edit
    var context: UnsafeMutableRawPointer?
    var queue: UnsafeMutableRawPointer?
    try OpenCL.check(
      copencl_start(description.handle.pointer, &context, &queue), "starting opencl:\(description.index)")
    self.context = DeviceHandle(pointer: context!)
    self.queue = DeviceHandle(pointer: queue!)
    memory = DeviceMemory(context: self.context, largest: description.largestAllocation)
  }

  deinit {
    // Tensors outlive no device but those of tests, whose memory is let go of here.
    _ = copencl_finish(queue.pointer)
    state.withLock { state in
      freeStaged(&state)
      state.tables = [:]
    }
    copencl_end(context.pointer, queue.pointer)
  }

  var traffic: DeviceTraffic { state.withLock(\.traffic) }

  /// Waits for all commands.
  func finish() { check(copencl_finish(queue.pointer), "waiting") }

  // MARK: Memory

  /// A piece of memory with unspecified content.
  func allocate(_ bytes: Int) -> DeviceBlock {
    if let block = memory.take(bytes, for: self) { return block }
    fail(
      "out of memory on device \(description.title) with \(description.memory >> 20) MiB: "
        + "cannot allocate \(bytes) bytes; tensors use \(memory.use.now >> 20) MiB already. Use smaller batches, images "
        + "or networks, or --device cpu")
  }

  /// Values for one use.
  func upload<Element>(_ values: [Element]) -> DevicePlace {
    let block = allocate(MemoryLayout<Element>.size * max(1, values.count))
    values.withUnsafeBytes { write($0, to: block) }
    return DevicePlace(block, of: Element.self)
  }

  /// Copies bytes to a block; returns when they may change, without waiting for the device.
  func write(_ bytes: UnsafeRawBufferPointer, to block: DeviceBlock) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    state.withLock { state in
      freeStaged(&state)
      state.traffic.written += bytes.count
      state.traffic.writes += 1
      guard state.stagedBytes + bytes.count <= DeviceContext.mostStaged, let copy = malloc(bytes.count) else {
        return check(copencl_write(queue.pointer, block.slab.pointer, block.start, bytes.count, base), "writing")
      }
      copy.copyMemory(from: base, byteCount: bytes.count)
      var event: UnsafeMutableRawPointer?
      check(
        copencl_write_later(queue.pointer, block.slab.pointer, block.start, bytes.count, copy, &event), "writing")
      state.staged.append(
        Staged(event: DeviceHandle(pointer: event!), copy: DeviceHandle(pointer: copy), bytes: bytes.count))
      state.stagedBytes += bytes.count
    }
  }

  /// Frees what has arrived.
  private func freeStaged(_ state: inout State) {
    var arrived = 0
    for staged in state.staged {
      var happened: Int32 = 0
      check(copencl_has_happened(staged.event.pointer, &happened), "writing")
      if happened == 0 { break }
      free(staged.copy.pointer)
      state.stagedBytes -= staged.bytes
      arrived += 1
    }
    state.staged.removeFirst(arrived)
  }

  /// Waits for all commands before, and copies bytes of a block.
  func read(_ block: DeviceBlock, from: Int = 0, into bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    check(copencl_read(queue.pointer, block.slab.pointer, block.start + from, bytes.count, base), "reading")
    state.withLock { state in
      state.traffic.read += bytes.count
      state.traffic.reads += 1
    }
  }

  /// Copies bytes from block to block.
  func copy(_ bytes: Int, from: DeviceBlock, at: Int, to: DeviceBlock, at target: Int) {
    if bytes == 0 { return }
    check(
      copencl_copy(
        queue.pointer, from.slab.pointer, from.start + at, to.slab.pointer, to.start + target, bytes), "copying")
  }

  /// A table of integers, kept for the next call.
  func table(_ values: [Int32]) -> DevicePlace {
    if let block = state.withLock({ $0.tables[values] }) { return DevicePlace(block, of: Int32.self) }
    let block = allocate(4 * max(1, values.count))
    values.withUnsafeBytes { write($0, to: block) }
    state.withLock { state in
      // Shapes of many images: what is needed again comes back.
      if state.tables.count >= 4096 { state.tables.removeAll() }
      state.tables[values] = block
    }
    return DevicePlace(block, of: Int32.self)
  }

  // MARK: Programs

  /// Starts a kernel on groups of `items` work items; `groups` in three directions.
  func launch(
    _ program: DeviceProgram, _ kernel: String, groups: (Int, Int, Int), items: Int, _ arguments: [DeviceArgument]
  ) {
    if groups.0 == 0 || groups.1 == 0 || groups.2 == 0 { return }
    state.withLock { state in
      let handle = find(kernel, of: program, &state)
      var index: UInt32 = 0
      for argument in arguments { set(argument, of: handle, at: &index, kernel) }
      let global = [groups.0 * items, groups.1, groups.2]
      check(copencl_launch(queue.pointer, handle.pointer, global, [items, 1, 1]), "starting '\(kernel)'")
      state.traffic.launches += 1
    }
  }

  private func set(_ argument: DeviceArgument, of kernel: DeviceHandle, at index: inout UInt32, _ name: String) {
    func put<T>(_ value: T) {
      withUnsafeBytes(of: value) { bytes in
        check(copencl_set(kernel.pointer, index, bytes.count, bytes.baseAddress!), "argument \(index) of '\(name)'")
      }
      index += 1
    }
    switch argument {
    case .int(let value): put(Int32(value))
    case .float(let value): put(value)
    case .double(let value): put(value)
    case .place(let place):
      put(place.block.slab.pointer)
      put(place.index)
    }
  }

  private func find(_ kernel: String, of program: DeviceProgram, _ state: inout State) -> DeviceHandle {
    let name = KernelName(program: program, kernel: kernel)
    if let known = state.kernels[name] { return known }
    do {
      let built = try state.programs[program] ?? build(program)
      state.programs[program] = built
      var handle: UnsafeMutableRawPointer?
      try OpenCL.check(copencl_kernel(built.pointer, kernel, &handle), "kernel '\(kernel)' of '\(program.name)'")
      let found = DeviceHandle(pointer: handle!)
      state.kernels[name] = found
      return found
    } catch {
      fail("\(error)")
    }
  }

  /// Options decide bits: subnormal numbers stay, nothing is relaxed, division is correctly rounded.
  private static let options = "-cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt"

  private func build(_ program: DeviceProgram) throws -> DeviceHandle {
    let sources = UnsafeBufferPointer(start: copencl_programs_start(), count: copencl_program_count)
    guard let source = sources.first(where: { String(cString: $0.name) == program.name }) else {
      preconditionFailure("no device program '\(program.name)'")
    }
    let (header, text) = (self.text(copencl_header), self.text(source))
    var handle: UnsafeMutableRawPointer?
    var log = [CChar](repeating: 0, count: 1 << 14)
    let code = copencl_build(
      context.pointer, description.handle.pointer, header, header.utf8.count, text, text.utf8.count,
      "\(DeviceContext.options) \(program.macros)", &handle, &log, log.count)
    guard code == 0, let handle else {
      throw DeviceError(
        "device \(description.title): program '\(program.name)' can't be built: "
          + "\(OpenCL.name(code))\n\(OpenCL.text(log))")
    }
    return DeviceHandle(pointer: handle)
  }

  private func text(_ source: copencl_source) -> String {
    let text = String(
      decoding: UnsafeRawBufferPointer(start: source.text, count: source.size), as: UTF8.self)
    return edit?(String(cString: source.name), text) ?? text
  }

  private func check(_ code: Int32, _ action: String) {
    guard code != 0 else { return }
    fail(
      "device \(description.title) failed: \(action): \(OpenCL.name(code)). The next run "
        + "resumes from the last checkpoint, on a device or with --device cpu")
  }
}
