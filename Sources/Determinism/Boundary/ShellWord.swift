extension String {
  /// Whether a shell takes the text for one word as it stands: ASCII letters, digits and `-_./=,+:@`.
  public var isPlainShellWord: Bool {
    !isEmpty
      && utf8.allSatisfy { c in
        c >= 0x30 && c <= 0x39 || c >= 0x41 && c <= 0x5A || c >= 0x61 && c <= 0x7A || "-_./=,+:@".utf8.contains(c)
      }
  }

  /// The text as one word of a shell, in quotes where it needs them.
  public var quotedForShell: String { isPlainShellWord ? self : "'\(replacingScalars(["'": "'\\''"]))'" }
}
