import Foundation

/// How many threads loops that start from the current thread may use.
enum ThreadLocal {
  enum Limit: Sendable {
    /// All of the pool's.
    case pool
    case fixed(Int)
    case share(ThreadShares.Share)
    /// One, and its time is taken down.
    case recorded(LoopRecorder)

    var threads: Int {
      switch self {
      case .pool: ThreadPool.shared.width
      case .fixed(let count): count
      case .share(let share): share.threads
      case .recorded: 1
      }
    }
  }

  private static func makeKey() -> pthread_key_t {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }

  /// Of a fixed number; 0 where there is none.
  private static let countKey = makeKey()
  // Objects that are not retained: `Parallel` keeps them alive for as long as they stand here.
  private static let shareKey = makeKey()
  private static let recorderKey = makeKey()

  static var limit: Limit {
    get {
      let count = Int(bitPattern: pthread_getspecific(countKey))
      if count > 0 { return .fixed(count) }
      if let share = pthread_getspecific(shareKey) {
        return .share(Unmanaged<ThreadShares.Share>.fromOpaque(share).takeUnretainedValue())
      }
      if let recorder = pthread_getspecific(recorderKey) {
        return .recorded(Unmanaged<LoopRecorder>.fromOpaque(recorder).takeUnretainedValue())
      }
      return .pool
    }
    set {
      var (count, share, recorder): (Int, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) = (0, nil, nil)
      switch newValue {
      case .pool: break
      case .fixed(let number): count = number
      case .share(let value): share = Unmanaged.passUnretained(value).toOpaque()
      case .recorded(let value): recorder = Unmanaged.passUnretained(value).toOpaque()
      }
      pthread_setspecific(countKey, UnsafeRawPointer(bitPattern: count))
      pthread_setspecific(shareKey, share)
      pthread_setspecific(recorderKey, recorder)
    }
  }
}
