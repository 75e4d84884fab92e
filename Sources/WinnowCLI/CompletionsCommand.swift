import ArgumentParser
import Winnow
import WinnowCommands

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract:
            "Prints a script with which a shell completes commands, options, kinds and events.",
        discussion: """
                winnow completions bash > ~/.local/share/bash-completion/completions/winnow
                winnow completions zsh > "${fpath[1]}/_winnow"
                winnow completions fish > ~/.config/fish/completions/winnow.fish
            """)

    /// A shell that has completions.
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() throws {
        let known: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try Terminal().print(WinnowCommand.completionScript(for: known))
    }
}
