import NN

extension StateDictionary {
  /// Entries whose name begins with `prefix`, the prefix taken off.
  func scoped(_ prefix: String) -> StateDictionary {
    StateDictionary(
      entries.filter { $0.name.hasPrefix(prefix) }.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) })
  }
}
