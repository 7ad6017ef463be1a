import Synchronization

/// Numbers on a device that the host may want, later: then it waits for them.
final class DeferredDoubles: Sendable {
  let device: Device
  private let count: Int
  private enum State { case there(DevicePlace), here([Double]) }
  private let state: Mutex<State>

  init(_ device: Device, _ place: DevicePlace, _ count: Int) {
    (self.device, self.count) = (device, count)
    state = Mutex(.there(place))
  }

  /// Where they are, while the host has not read them.
  var place: DevicePlace? {
    state.withLock { state in
      if case .there(let place) = state { place } else { nil }
    }
  }

  var values: [Double] {
    state.withLock { state in
      switch state {
      case .here(let values): return values
      case .there(let place):
        let values = device.values(place, count)
        state = .here(values)
        return values
      }
    }
  }
}
