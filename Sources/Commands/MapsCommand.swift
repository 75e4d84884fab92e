import ArgumentParser
import Winnow
import WinnowJSON

struct MapsCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "maps",
        abstract:
            "Lists the mappings of other programs' files that come with winnow, or prints one.",
        discussion: "    winnow maps sendgrid > mine.json")

    @Argument(help: "The mapping to print.") var name: String?

    func run(in session: any Session) throws {
        if let name { return try session.answer(FeedMapping(named: name).json) }
        for mapping in FeedMapping.shipped {
            if session.isForPrograms {
                var json = JSONWriter()
                json.object {
                    $0.member("name", mapping.name)
                    $0.member("about", mapping.about)
                    $0.member("example", mapping.example)
                }
                try session.answer(json.text)
                continue
            }
            try session.print(
                "\(column(mapping.name, 26))\(mapping.about)\n"
                    + "\(column("", 26))winnow load STORE feed \(mapping.example) --map \(mapping.name)"
            )
        }
    }
}
