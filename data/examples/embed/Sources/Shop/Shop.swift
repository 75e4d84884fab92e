import JSON
import Store
import Winnow

/// Makes a store, loads customers and what they did from memory and from a file, and asks.
@main
struct Shop {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let path = arguments.count > 1 ? arguments[1] : "shop.winnow"
        let schema = Schema(fields: [
            Field(name: "country", type: .string), Field(name: "ltv", type: .decimal, scale: 2),
        ])
        let store = try Winnow.Store.create(path, schema: schema)
        let customers = Customers.all.map {
            "{\"id\": \(quoted($0.id)), \"country\": \(quoted($0.country)), \"ltv\": \($0.spent)}\n"
        }
        try store.load(.profiles, from: .bytes(customers.joined().utf8, as: .ndjson))
        let events = """
            profile,channel,event,time
            ada,email,delivered,2025-12-01T09:00:00Z
            ada,email,opened,2025-12-01T09:20:00Z
            bo,email,delivered,2025-12-01T09:00:00Z
            bo,email,delivered,2025-12-08T09:00:00Z
            """
        try await store.async.load(.events, from: .bytes(events.utf8, as: .csv))

        let snapshot = try store.snapshot()
        let asOf = Instant("2025-12-10T00:00:00Z")
        let quiet: Segment =
            .email(.delivered, .atLeast(2), during: .last(30, .days)) && !.email(.opened)
        let vip: Segment = .field("country", in: ["DE", "SE"]) && .field("ltv", .atLeast, 99.99)
        print("quiet:", try snapshot.count(quiet, asOf: asOf, in: "Europe/Berlin").count)
        print("vip:", try Array(snapshot.ids(of: vip)).joined(separator: " "))
        let prepared = try snapshot.prepare(quiet || vip, asOf: asOf)
        print("either:", try prepared.count().count)
        let later = try await snapshot.async.count(!vip, asOf: asOf)
        print("others:", later.count, "of", later.universe)
    }
}
