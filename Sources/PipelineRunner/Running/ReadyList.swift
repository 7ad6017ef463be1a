/// Instances that wait for their turn, in the order in which they came.
struct ReadyList {
  private var instances: [Instance?] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ instance: Instance) {
    instances.append(instance)
    count += 1
  }

  /// Takes an instance back that was taken and could not start.
  mutating func putBack(_ instance: Instance) {
    instances.insert(instance, at: head)
    count += 1
  }

  /// How far ahead is looked for one that will do, so that a long list costs no more than a short one.
  private static let reach = 1_000

  /// The first that will do.
  mutating func take(where suits: (Instance) -> Bool) -> Instance? {
    while head < instances.count, instances[head] == nil { head += 1 }
    guard let i = instances[head...].prefix(ReadyList.reach).firstIndex(where: { $0.map(suits) ?? false }) else {
      return nil
    }
    defer {
      instances[i] = nil
      count -= 1
    }
    return instances[i]
  }
}
