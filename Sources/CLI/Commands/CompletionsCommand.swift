import ArgumentParser

struct Completions: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a completion script for a shell.",
    discussion: """
      EXAMPLES:
        autopanoptic completions bash > ~/.local/share/bash-completion/completions/autopanoptic
        autopanoptic completions zsh > ~/.zsh/completions/_autopanoptic
        autopanoptic completions fish > ~/.config/fish/completions/autopanoptic.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    let shell: CompletionShell =
      switch self.shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    Output.write(AutoPanoptic.completionScript(for: shell) + "\n", to: 1)
  }
}
