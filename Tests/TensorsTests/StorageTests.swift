import Determinism
import Foundation
import Testing

@testable import Tensors

@Suite("Memory of tensors")
struct StorageTests {
  @Test("blocks of the arena never overlap, and freed neighbours merge into one gap")
  func arena() {
    var arena = Arena()
    var random = Seeds(kind: "test", seed: 3).stream("arena")
    var live: [(start: UnsafeMutableRawPointer, size: Int)] = []
    for _ in 0..<2000 {
      if live.count > 40 || (!live.isEmpty && random.uniform() < 0.4) {
        let block = live.remove(at: Int(random.uniform() * Double(live.count)))
        arena.give(block.start, block.size)
      } else {
        let size = 64 * (1 + Int(random.uniform() * 60_000))
        live.append((arena.take(size)!, size))
        #expect(UInt(bitPattern: live.last!.start) % 64 == 0)
      }
      let ordered = live.sorted { $0.start < $1.start }
      for (a, b) in zip(ordered, ordered.dropFirst()) { #expect(a.start + a.size <= b.start) }
    }
    for block in live { arena.give(block.start, block.size) }
    let gaps = arena.gapCount
    // No gap is lost: what was free is still free after another block.
    let all = arena.take(64)!
    arena.give(all, 64)
    #expect(arena.gapCount == gaps && gaps <= 3)
  }

  @Test("slabs are adjacent in the address space, so that a block may span several")
  func slabs() {
    var arena = Arena(from: 1 << 44)
    let size = 96 << 20
    let blocks = (0..<4).map { _ in arena.take(size)! }
    for block in blocks { arena.give(block, size) }
    #expect(arena.gapCount == 1)
    #expect(arena.take(4 * size) == blocks[0])
  }

  @Test("an arena refuses blocks beyond its limit and reuses freed ones")
  func limit() {
    var arena = Arena(from: 3 << 43, limit: 256 << 20)
    let size = 100 << 20
    let blocks = (0..<2).map { _ in arena.take(size)! }
    #expect(arena.take(size) == nil && arena.take(1 << 40) == nil && arena.take(Int.max - 4095) == nil)
    arena.give(blocks[1], size)
    #expect(arena.take(size) == blocks[1])
    #expect(arena.size == 256 << 20)
  }

  @Test(
    "a tensor that gets no memory ends the program with exit code 1 and a message, after calling the handler",
    arguments: [[1 << 20, 1 << 20, 1 << 10], [1 << 31, 1 << 31, 4], [.max, .max, .max, .max, .max]])
  func exhausted(_ extents: [Int]) async throws {
    let outcome = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent, \.standardOutputContent]
    ) { [extents = extents as [Int]] in
      TensorMemory.endProgram { message in
        FileHandle.standardError.write(Data("error: \(message)\n".utf8))
        _exit(1)
      }
      TensorMemory.onExhaustion {
        print("told: \($0)")
        fflush(nil)
      }
      _ = Tensor(zeros: Shape(extents))
    }
    let result = try #require(outcome)
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(
      text.contains("error: out of memory: cannot allocate ") && text.contains("shape [\(extents[0])×"), "\(text)")
    #expect(
      String(decoding: result.standardOutputContent, as: UTF8.self).contains("told: out of memory: cannot allocate "))
  }

  @Test("SystemMemory.available is below the total and names the limit that applies")
  func system() {
    let available = SystemMemory.available()
    #expect(available.bytes > 1 << 20 && available.bytes <= SystemMemory.total && !available.reason.isEmpty)
    #expect(TensorMemory.idle >= 0)
  }

  @Test("TensorMemory.used counts living tensors alone")
  func counting() async {
    // In a process of its own: the count includes all threads.
    await #expect(processExitsWith: .success) {
      let before = TensorMemory.used
      let kept = Tensor(zeros: [1000])
      _ = Tensor(zeros: [1 << 20])
      withExtendedLifetime(kept) {
        precondition(TensorMemory.used - before == StoragePool.roundedSize(4 * 1016))
      }
    }
  }

  @Test(
    "size classes hold what is requested and waste at most a quarter", arguments: [1, 63, 64, 65, 100, 4097, 65_535])
  func classes(bytes: Int) {
    let size = StoragePool.roundedSize(bytes)
    #expect(size >= bytes && size % 64 == 0)
    #expect(bytes < 256 || Double(size) <= 1.25 * Double(bytes))
    #expect(StoragePool.roundedSize(size) == size)
  }
}
