import ArgumentParser
import WinnowDatagen
import Winnow

struct DatagenCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "datagen",
        abstract: "Writes lifelike loader files: the same seed gives the same bytes.",
        discussion: "    winnow datagen files --profiles 10000 --events 200000 --goals 5000")

    @Argument(help: "The folder to write to.") var folder: String
    @Option(help: "How many profiles.") var profiles: Int
    @Option(help: "How many events.") var events: Int
    @Option(help: "How many campaigns, each with two or three templates.") var campaigns = 400
    @Option(help: "The seed.") var seed: UInt64 = 1
    @Flag(help: "Events name the message that they are about; otherwise they are the same.")
    var messages = false
    @Flag(help: "Mail proxies open and link scanners click, too; people do the same.")
    var machines = false
    @Flag(help: "Writes subscriptions: where each profile can be reached.")
    var subscriptions = false
    @Option(help: "How many goals: views, purchases and the like, one in twenty of nobody.")
    var goals = 0

    func run(in session: any Session) throws {
        guard (0...Int(UInt32.max) - 1).contains(profiles), events >= 0, goals >= 0
        else {
            throw WinnowError.usage(
                "--profiles, --events and --goals are not negative, and profiles below 2³²")
        }
        guard profiles > 0 || events == 0 && goals == 0 else {
            throw WinnowError.usage("events and goals need profiles")
        }
        guard (1...1_000_000).contains(campaigns) else {
            throw WinnowError.usage("--campaigns is between 1 and a million")
        }
        try DataGenerator(
            folder: folder, profiles: profiles, events: events, campaigns: campaigns, seed: seed,
            .init(
                messages: messages, machines: machines, subscriptions: subscriptions, goals: goals)
        ).run { session.note($0) }
    }
}
