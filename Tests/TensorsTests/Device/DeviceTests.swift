import Determinism
import Testing

@testable import Tensors

@Suite("Devices")
struct DeviceTests {
  @Test("names are cpu, opencl and opencl:n")
  func names() {
    #expect(Device.Name("cpu") == .cpu)
    #expect(Device.Name("opencl") == .opencl(0))
    #expect(Device.Name("opencl:12") == .opencl(12))
    for text in ["opencl:+0", "opencl:00", "opencl:-1", "opencl: 0"] { #expect(Device.Name(text) == nil, "\(text)") }
    for text in ["", "gpu", "opencl:", "opencl:-1", "opencl:x", "opencl:99999999999999999999", "CPU"] {
      #expect(Device.Name(text) == nil)
    }
  }

  @Test("a device that is not there is named with those that are", .needsDevice)
  func missing() {
    let error = #expect(throws: DeviceError.self) { try Device.open(99) }
    #expect(error?.description.hasPrefix("no device opencl:99; there is opencl:0 (") == true)
  }

  @Test("a tensor is fetched once, and only where the host reads it", .needsDevice)
  func fetches() throws {
    let device = try #require(TestDevice.all.first)
    let other = try Device(DeviceContext(device.context.description) { fatalError($0) }, tuning: device.tuning)
    let traffic = { other.context.traffic }
    Device.with(other) {
      let x = Tensor(ordinaryValues(1_000), shape: [1_000])
      var y = Elementwise.relu(Elementwise.add(x, x))
      #expect(traffic().writes == 1 && traffic().written == 4_000 && traffic().reads == 0)
      #expect(y.array == x.array.map { max(0, $0 + $0) })
      _ = y.array
      #expect(traffic().reads == 1 && traffic().read == 4_000)
      _ = Elementwise.add(y, y)
      #expect(traffic().writes == 1)
      y.withMutableElements { $0[0] = 5 }
      #expect(Elementwise.scale(y, by: 2)[flat: 0] == 10)
      #expect(traffic().writes == 2)
    }
  }

  @Test("a tensor moves from device to device by way of the host", .needsDevice)
  func moves() throws {
    let device = try #require(TestDevice.all.first)
    let other = try Device(DeviceContext(device.context.description) { fatalError($0) }, tuning: device.tuning)
    let x = Tensor(ordinaryValues(100), shape: [100])
    let there = Device.with(device) { Elementwise.add(x, x) }
    let back = Device.with(other) { Elementwise.scale(there, by: 0.5) }
    #expect(back.isIdentical(to: x))
  }

  @Test("memory is reused, gaps merge, and what is too large is refused", .needsDevice)
  func memory() throws {
    let device = try #require(TestDevice.all.first)
    let context = try DeviceContext(device.context.description) { fatalError($0) }
    let memory = context.memory
    var blocks = [1, 256, 257, 5_000_000].map { memory.take($0, for: context)! }
    #expect(blocks.map(\.size) == [256, 256, 512, 5_000_192])
    #expect(memory.use.now == 5_001_216)
    blocks.removeFirst()
    blocks.removeFirst()
    let again = memory.take(512, for: context)!
    #expect(again.start == 0 && again.slab.pointer == blocks[0].slab.pointer)
    blocks = []
    #expect(memory.use.now == 512 && memory.use.peak == 5_001_216)
    #expect(memory.take(Int.max / 4, for: context) == nil)
  }

  @Test("threads that use one tensor at a time get one copy of it", .needsDevice)
  func threads() throws {
    let device = try #require(TestDevice.all.first)
    let x = Tensor(ordinaryValues(10_000), shape: [100, 100])
    let y = Device.with(device) { Elementwise.add(x, x) }
    let sums = Parallel.map(16) { i in y.rows(i..<i + 1).array.reduce(0, +) }
    #expect(sums == (0..<16).map { i in x.array[100 * i..<100 * i + 100].reduce(0) { $0 + 2 * $1 } })
  }
}
