import ArgumentParser
import WinnowDatagen
import Winnow

struct DatagenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datagen",
        abstract: "Writes lifelike loader files: the same seed gives the same bytes.")

    @Argument(help: "The folder to write to.") var folder: String
    @Option(help: "How many profiles.") var profiles: Int
    @Option(help: "How many events.") var events: Int
    @Option(help: "How many campaigns, each with two or three templates.") var campaigns = 400
    @Option(help: "The seed.") var seed: UInt64 = 1
    @Flag(help: "Events name the message that they are about; otherwise they are the same.")
    var messages = false

    func run() throws {
        guard (0...Int(UInt32.max) - 1).contains(profiles), events >= 0 else {
            throw WinnowError.usage(
                "--profiles and --events are not negative, and profiles below 2³²")
        }
        guard events == 0 || profiles > 0 else { throw WinnowError.usage("events need profiles") }
        guard (1...1_000_000).contains(campaigns) else {
            throw WinnowError.usage("--campaigns is between 1 and a million")
        }
        try DataGenerator(
            folder: folder, profiles: profiles, events: events, campaigns: campaigns, seed: seed,
            messages: messages
        ).run { Terminal.note($0) }
    }
}
