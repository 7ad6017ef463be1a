import Datasets
import Panoptic
import Pipelines

extension StageContext {
  /// Reads a part of the panoptic data set in the input `data`, through the input's manifest, and reports what it leaves
  /// out.
  /// - Parameter isRepeated: for a stage with many instances, which would all report the same: it goes to their logs.
  func panopticData(_ part: PanopticPart, isRepeated: Bool = false) throws -> PanopticDataset {
    let data = try PanopticDataset(part, in: input("data").tree)
    if isRepeated { data.notes.forEach(log) } else { tell(data.notes) }
    return data
  }

  /// The images of a panoptic data set that a detector can learn from; reports those that are left out.
  func usableForTraining(_ data: PanopticDataset) throws -> PanopticDataset {
    let usable = try data.usableForTraining()
    tell(Array(usable.notes.dropFirst(data.notes.count)))
    return usable
  }

  /// Shows the user what was left out or looks wrong.
  func tell(_ notes: [String]) {
    for note in notes { notice(note) }
  }
}
