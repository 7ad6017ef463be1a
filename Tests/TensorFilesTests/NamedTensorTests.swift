import TensorFiles
import Tensors
import Testing

@Suite("NamedTensor and ElementType")
struct NamedTensorTests {
  @Test("has values of its element type and no other")
  func typedValues() {
    func check<T: StoredElement & Equatable>(_ values: [T], _ type: ElementType) {
      let tensor = NamedTensor(values)
      #expect(tensor.elementType == type && tensor.shape == [values.count] && tensor.values(as: T.self) == values)
      #expect(tensor.byteCount == values.count * type.size)
    }
    check([Float.leastNonzeroMagnitude, -0.5], .float32)
    check([1e300, -0.5], .float64)
    check([Int8.min, .max], .int8)
    check([Int16.min, .max], .int16)
    check([Int32.min, .max], .int32)
    check([Int64.min, .max], .int64)
    check([UInt8.max, 0], .uint8)
    check([UInt16.max, 0], .uint16)
    check([UInt32.max, 0], .uint32)
    check([UInt64.max, 0], .uint64)
    #expect(NamedTensor([Int32(1)]).values(as: UInt32.self) == nil)
  }

  @Test("bytes are little-endian, in row-major order")
  func bytes() {
    #expect(NamedTensor([UInt16(0x0102), 0x0304], shape: [1, 2]).bytes == [2, 1, 4, 3])
    #expect(NamedTensor([Float(1)], shape: []).bytes == [0, 0, 0x80, 0x3F])
  }

  @Test("every type converts to binary64, and integer types to integers")
  func conversions() {
    #expect(NamedTensor([Int8(-3), 4]).doubles == [-3, 4] && NamedTensor([Int8(-3), 4]).integers == [-3, 4])
    #expect(NamedTensor([Float(0.5)]).doubles == [0.5] && NamedTensor([Float(0.5)]).integers == nil)
    let truth = NamedTensor(elementType: .bool, shape: [3], bytes: [1, 0, 1])
    #expect(truth.doubles == [1, 0, 1] && truth.integers == [1, 0, 1])
  }

  @Test("is equal to a tensor with the same type, shape and bits: NaN equals itself, and -0 differs from 0")
  func equality() {
    #expect(NamedTensor([Float.nan]) == NamedTensor(Tensor([.nan], shape: [1])))
    #expect(NamedTensor([Float(0)]) != NamedTensor([Float(-0.0)]))
    #expect(NamedTensor([Int32(1)]) != NamedTensor([UInt32(1)]))
    #expect(NamedTensor([Int32(1), 2]) != NamedTensor([Int32(1), 2], shape: [2, 1]))
  }

  @Test("traps on a number of bytes that does not fit the shape")
  func wrongCount() async {
    await #expect(processExitsWith: .failure) { _ = NamedTensor(elementType: .int32, shape: [2], bytes: [0, 0, 0, 0]) }
  }
}
