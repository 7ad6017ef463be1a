import Determinism
import Foundation
import Glibc
import PipelineModel
import Synchronization

/// Follows the file of a command's history while the command runs, so that its curve can be looked at. The result is read
/// from the whole file afterwards: what goes wrong here is passed over.
final class CurveTail: Sendable {
  private struct State {
    var offset = 0
    /// Of a line that is not complete.
    var rest: [UInt8] = []
    var header: [String]?
    var lines = 0
  }

  private let path: String
  private let isTable: Bool
  private let context: StageContext
  private let end = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  /// Seconds between two looks.
  private static let interval = 1.0
  /// Lines that are passed on of one look: a program may write more of them than anybody can see.
  private static let mostLines = 20
  /// Bytes that are read of one look.
  private static let mostBytes = 16 << 20

  /// - Returns: nil where no thread can be started.
  init?(_ path: String, in context: StageContext) {
    self.path = path
    self.context = context
    isTable = path.hasEnding(".csv")
    do {
      try startThread(named: "curve") { [self] in
        while end.wait(timeout: .now() + CurveTail.interval) == .timedOut { look() }
        done.signal()
      }
    } catch {
      return nil
    }
  }

  /// Returns when nothing more is passed on.
  func stop() {
    end.signal()
    done.wait()
  }

  private func look() {
    state.withLock { state in
      guard let bytes = read(from: state.offset), !bytes.isEmpty else { return }
      state.offset += bytes.count
      var lines = (state.rest + bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
      state.rest = Array(lines.removeLast())
      let stride = max(1, lines.count / CurveTail.mostLines)
      for (i, line) in lines.enumerated() {
        if isTable, state.header == nil {
          state.header = CurveLine.cells(line)
          continue
        }
        state.lines += 1
        guard i % stride == 0 || i == lines.count - 1 else { continue }
        let header = state.header
        guard let row = try? header.map({ try CurveLine(cells: line, header: $0) }) ?? CurveLine(json: line) else {
          continue
        }
        context.measured(step: row.step ?? state.lines, row.values)
      }
    }
  }

  /// What was added to the file, where it is one.
  private func read(from offset: Int) -> [UInt8]? {
    guard let file = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "read") else { return nil }
    var s = stat()
    guard fstat(file.number, &s) == 0, s.st_mode & S_IFMT == S_IFREG, Int(s.st_size) > offset else { return nil }
    let wanted = min(CurveTail.mostBytes, Int(s.st_size) - offset)
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
      count = max(0, FileIO.retrying { pread(file.number, buffer.baseAddress!, wanted, off_t(offset)) })
    }
    return bytes
  }
}
