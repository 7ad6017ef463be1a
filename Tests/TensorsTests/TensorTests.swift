import Testing

@testable import Tensors

@Suite("Tensor")
struct TensorTests {
  @Test("is a value: writing to a copy leaves the original unchanged")
  func copyOnWrite() {
    let original = Tensor([1, 2, 3, 4], shape: [2, 2])
    var copy = original
    copy.withMutableElements { $0[0] = 9 }
    #expect(original.array == [1, 2, 3, 4] && copy.array == [9, 2, 3, 4])
  }

  @Test("rows and reshaped views have the elements of their range, and writing to one leaves the other unchanged")
  func views() {
    let whole = Tensor(shape: [4, 3]) { Float($0) }
    var rows = whole.rows(1..<3)
    #expect(rows.shape == [2, 3] && rows.array == [3, 4, 5, 6, 7, 8])
    #expect(rows.reshaped([3, 2]).rows(2..<3).array == [7, 8])
    rows.withMutableElements { $0[0] = -1 }
    #expect(rows[flat: 0] == -1 && whole[flat: 3] == 3)
    #expect(whole.rows(4..<4).isEmpty && Tensor(zeros: [0, 3]).rows(0..<0).shape == [0, 3])
  }

  @Test("isIdentical compares shapes and bits: NaN equals itself, and -0 differs from 0")
  func identity() {
    let nan = Tensor([.nan, 1], shape: [2])
    #expect(nan.isIdentical(to: nan) && !nan.isIdentical(to: nan.reshaped([1, 2])))
    #expect(!Tensor(scalar: -0.0).isIdentical(to: Tensor(scalar: 0)))
  }

  @Test("a scalar has rank 0 and one item")
  func scalar() {
    #expect(Tensor(scalar: 2.5).shape.rank == 0 && Tensor(scalar: 2.5).item == 2.5)
    #expect(Tensor([3], shape: [1, 1]).item == 3)
  }

  @Test("is printed as its shape and first eight elements")
  func description() {
    #expect(Tensor([1, 2], shape: [2, 1]).description == "Tensor[2×1](1.0, 2.0)")
    #expect(Tensor(zeros: [9]).description.hasSuffix("0.0, …)"))
  }

  @Test("traps on a wrong number of values")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) { _ = Tensor([1, 2, 3], shape: [2, 2]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(zeros: [4]).reshaped([3]) }
  }
}

@Suite("Shape")
struct ShapeTests {
  @Test("has extents, of which negative indices count from the last, and a number of elements")
  func extents() {
    let shape: Shape = [2, 3, 8, 5]
    #expect(shape.rank == 4 && shape.count == 240 && shape[0] == 2 && shape[-1] == 5)
    #expect(shape.replacing(-1, with: 1) == [2, 3, 8, 1] && shape.array == [2, 3, 8, 5])
    #expect(Shape([]).count == 1 && Shape([3, 0]).count == 0)
    #expect(shape.description == "[2×3×8×5]")
  }

  @Test("traps on negative extents and on more than five")
  func refused() async {
    await #expect(processExitsWith: .failure) { _ = Shape([2, -1]) }
    await #expect(processExitsWith: .failure) { _ = Shape([1, 1, 1, 1, 1, 1]) }
  }
}

@Suite("Gathering")
struct GatheringTests {
  @Test("gather reads elements by index; scatter adds them back, repeated indices too")
  func indices() {
    let x = Tensor([10, 11, 12, 13], shape: [2, 2])
    #expect(Gathering.gather(x, at: [3, 0, 3]).array == [13, 10, 13])
    let back = Gathering.scatter(Tensor([1, 2, 4], shape: [3]), at: [3, 0, 3], shape: x.shape)
    #expect(back.shape == [2, 2] && back.array == [2, 0, 0, 5])
    #expect(Gathering.gather(x, at: []).shape == [0])
  }
}

@Suite("Backend")
struct BackendTests {
  @Test("is the fastest supported instruction set unless the environment names another one")
  func resolution() throws {
    #expect(Backend.supported.first == .scalar)
    #expect(try Backend.resolve(environment: [:]) == Backend.supported.last)
    #expect(try Backend.resolve(environment: ["AUTOPANOPTIC_ISA": ""]) == Backend.supported.last)
    for set in Backend.supported {
      #expect(try Backend.resolve(environment: ["AUTOPANOPTIC_ISA": set.rawValue]) == set)
    }
  }

  @Test("refuses an unknown instruction set, and one that the processor lacks")
  func refused() {
    let error = #expect(throws: BackendError.self) { try Backend.resolve(environment: ["AUTOPANOPTIC_ISA": "sse9"]) }
    #expect(error?.description == "AUTOPANOPTIC_ISA=sse9: unknown instruction set; choose scalar, avx2 or avx512")
    for set in Backend.InstructionSet.allCases where !set.isSupported {
      let error = #expect(throws: BackendError.self) {
        try Backend.resolve(environment: ["AUTOPANOPTIC_ISA": set.rawValue])
      }
      #expect(error?.description.contains("this processor lacks it") == true)
    }
  }
}
