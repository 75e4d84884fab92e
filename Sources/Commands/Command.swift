import ArgumentParser

/// The version of the library and its command.
package let programVersion: StaticString = "0.1.0"

/// A command: what it takes is declared once, for a shell's words and a program's JSON alike.
package protocol Command: ParsableCommand {
    /// - Throws: `WinnowError`, or `Unsound` once the answer is given.
    func run(in session: any Session) throws
}

/// Something was checked and is not right; the answer says what.
package struct Unsound: Error {}

/// All commands that work on stores, rules and loader files, in the order in which help lists them.
package let allCommands: [any ParsableCommand.Type] = [
    CreateCommand.self, LoadCommand.self, CountCommand.self, OverlapCommand.self,
    ExplainCommand.self, ShowCommand.self, ExportCommand.self, BreakdownCommand.self,
    SegmentCommand.self, InfoCommand.self, SchemaCommand.self, CompactCommand.self,
    EraseCommand.self, DropCommand.self, VerifyCommand.self, BenchCommand.self, CatalogCommand.self,
    InferCommand.self, MapsCommand.self, RuleCommand.self, DatagenCommand.self,
]
