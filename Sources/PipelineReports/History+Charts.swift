import PipelineModel

extension History {
  /// The points of one of the numbers; rows without it are left out.
  func points(_ name: Int) -> [(x: Double, y: Double)] {
    rows.compactMap { row in row.values[name].map { (Double(row.step), $0) } }
  }

  /// Numbers that are drawn together: losses in one picture, and each of the others with its like.
  var groups: [[Int]] {
    var losses = [Int]()
    var others = [(word: String, members: [Int])]()
    for (i, name) in names.enumerated() {
      guard let word = History.apart.first(where: { History.words(name).contains($0) }) else {
        losses.append(i)
        continue
      }
      if let place = others.firstIndex(where: { $0.word == word }) {
        others[place].members.append(i)
      } else {
        others.append((word, [i]))
      }
    }
    // As many as have colours.
    return ([losses] + others.map(\.members)).flatMap { group in
      stride(from: 0, to: group.count, by: 8).map { Array(group[$0..<min($0 + 8, group.count)]) }
    }
  }

  /// Words of numbers that are of another size than losses.
  private static let apart = ["rate", "lr", "norm", "accuracy", "acc", "top", "auc", "f1"]

  /// `train_acc`, `learning rate` and `top-1` as words.
  private static func words(_ name: String) -> [String] {
    name.lowercased().split { !($0.isLetter || $0.isNumber) }.map { word in
      word.hasPrefix("top") && word.dropFirst(3).allSatisfy(\.isNumber) ? "top" : String(word)
    }
  }
}
