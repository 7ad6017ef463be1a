import Determinism

extension String {
  /// Whether a name ends as JPEG and PNG files do, in small or capital letters. What the file is, its content tells.
  var isPictureName: Bool { hasEnding(".jpg") || hasEnding(".jpeg") || hasEnding(".png") }
}

/// A path for a message about two that look alike: where Unicode calls them equal though their bytes differ, with
/// escapes.
func shown(_ path: String, beside other: String) -> String {
  path == other && !path.hasSameBytes(as: other) ? path.escapedBytes : path
}
