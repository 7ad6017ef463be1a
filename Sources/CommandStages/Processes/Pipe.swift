import CProcesses
import PipelineModel

/// A pipe whose ends no other program inherits.
struct Pipe {
  let reading: Descriptor
  let writing: Descriptor

  init() throws {
    var ends: [Int32] = [-1, -1]
    guard cp_pipe(&ends) == 0 else { throw Descriptor.failure("make", "a pipe") }
    (reading, writing) = (Descriptor(ends[0]), Descriptor(ends[1]))
  }
}
