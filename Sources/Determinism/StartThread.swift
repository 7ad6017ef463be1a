import Foundation

/// The system could not create a thread.
public struct ThreadFailure: DiagnosableError, Equatable {
  /// The name that the thread would have had.
  public let name: String
  /// The error number that `pthread_create` returned.
  public let code: Int32

  public var isUserData: Bool { false }
  public var description: String {
    "cannot start a thread (\(name)): \(String(cString: strerror(code))); check 'ulimit -u', the container's process "
      + "limit and the free memory"
  }
}

/// Runs `body` on a new, detached thread.
///
/// - Parameters:
///   - name: for debuggers and `ps`, which show 15 bytes of it.
///   - stackBytes: size of its stack; parsers and decoders need more than the default of some systems.
public func startThread(
  named name: String, stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
) throws(ThreadFailure) {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let refusal = pthread_attr_setstacksize(&attributes, stackBytes)
  guard refusal == 0 else { throw ThreadFailure(name: name, code: refusal) }
  let work = Unmanaged.passRetained(ThreadWork(name, body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, &attributes,
    { work in
      let work = Unmanaged<ThreadWork>.fromOpaque(work!).takeRetainedValue()
      _ = setThreadName?(pthread_self(), String(decoding: work.name.utf8.prefix(15), as: UTF8.self))
      work.body()
      return nil
    }, work.toOpaque())
  guard code == 0 else {
    work.release()
    throw ThreadFailure(name: name, code: code)
  }
}

/// The name and body that a new thread receives.
private final class ThreadWork: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

/// `pthread_setname_np`, which Swift's Glibc module does not export; nil on a system without it.
private let setThreadName: (@convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32)? =
  dlsym(nil, "pthread_setname_np").map {
    unsafeBitCast($0, to: (@convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32).self)
  }
