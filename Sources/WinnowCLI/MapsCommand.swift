import ArgumentParser
import Winnow

struct MapsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maps",
        abstract:
            "Lists the mappings of other programs' files that come with winnow, or prints one.",
        discussion: "    winnow maps sendgrid > mine.json")

    @Argument(help: "The mapping to print.") var name: String?

    func run() throws {
        if let name { return try Terminal.print(FeedMapping(named: name).json) }
        for mapping in FeedMapping.shipped {
            try Terminal.print(
                "\(column(mapping.name, 26))\(mapping.about)\n"
                    + "\(column("", 26))winnow load STORE feed \(mapping.example) --map \(mapping.name)"
            )
        }
    }
}
