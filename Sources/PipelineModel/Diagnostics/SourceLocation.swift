/// A place in a text that a user wrote: a line of a pipeline file, or an option of the command line.
public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  /// The file as the user named it, or the option, such as `--set`.
  public var file: String
  /// From 1; 0 where only the file is known.
  public var line: Int
  /// From 1; 0 where only the line is known.
  public var column: Int

  public init(file: String, line: Int = 0, column: Int = 0) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String {
    line == 0 ? file : column == 0 ? "\(file):\(line)" : "\(file):\(line):\(column)"
  }
}
