/// The files that a source takes from its root folder.
package struct SourceFolder: Sendable {
  package enum Root: Sendable {
    /// The folder that a variable names.
    case variable(String)
    case folder(String)
  }

  package let root: Root
  package let contents: @Sendable (String) -> [String]
  package let selects: @Sendable (_ path: String, _ output: String) -> Bool
  /// Whether the store keeps the files, with their modes, and not only a manifest.
  package var isCopied = false

  package init(
    root: Root, contents: @escaping @Sendable (String) -> [String],
    selects: @escaping @Sendable (_ path: String, _ output: String) -> Bool, isCopied: Bool = false
  ) {
    self.root = root
    self.contents = contents
    self.selects = selects
    self.isCopied = isCopied
  }
}
