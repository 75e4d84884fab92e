#if Server
    import HTTPTypes
    import Winnow
    import WinnowCommands

    /// A path and a method, and what is done there. Requests are led by this table, and the OpenAPI
    /// document is written from it.
    struct Endpoint: Sendable {
        enum Work: Sendable {
            case file(PageFile)
            case health, openAPI, metrics
            case command(CommandWork)
        }

        let method: HTTPRequest.Method
        /// Its parts; one in braces stands for any text.
        let path: [String]
        let about: String
        let work: Work

        /// The path as the document and the metrics name it.
        let template: String
        /// Whether a part of it stands for any text.
        var hasName: Bool { template.contains("{") }

        /// Whether anybody is let in who reaches the address.
        var isOpen: Bool {
            switch work {
            case .file, .health, .openAPI: true
            case .metrics, .command: false
            }
        }

        /// What the part in braces is when the path is this one; nil when it is not, empty where there is
        /// none.
        func match(_ parts: [String]) -> String? {
            guard parts.count == path.count else { return nil }
            var name = ""
            for (own, part) in zip(path, parts) {
                if own.hasPrefix("{") { name = part } else if own != part { return nil }
            }
            return name
        }
    }

    /// A command, and how its arguments and answers cross.
    struct CommandWork: Sendable {
        enum Source: Sendable {
            /// Arguments in the query.
            case query
            /// Arguments as a JSON object.
            case body
            /// Arguments in the query, data in the body.
            case data
        }

        enum Answer: Sendable {
            /// One JSON value.
            case value
            /// JSON values, a line each.
            case lines
            /// What `export` writes.
            case export
            case nothing
        }

        enum Rules: Sendable { case none, one, many }

        let table: CommandTable
        let source: Source
        let answer: Answer
        /// How many rules it takes.
        var rules = Rules.none
        /// What the part in braces of the path gives.
        var place: String?
        /// Keys without which it makes no sense.
        var needs: [String] = []
        /// The key with which one value becomes several.
        var linesWith: String?
        /// Whether clients can say how many threads it takes.
        var takesThreads = false
        var writes = false

        /// What clients can give, the rules aside.
        var parameters: [Parameter] {
            table.remoteParameters.filter {
                $0.key != place && !["rule", "rules"].contains($0.key)
            }
        }
    }

    extension Endpoint {
        /// All of them.
        static func all() throws(WinnowError) -> [Endpoint] {
            [
                Endpoint("/", "The page.", .file(.document)),
                Endpoint("/page.js", "The page's script.", .file(.script)),
                Endpoint("/page.css", "The page's style sheet.", .file(.style)),
                Endpoint("/healthz", "Says that the server is there.", .health),
                Endpoint("/openapi.json", "This document.", .openAPI),
                Endpoint("/metrics", "Figures for Prometheus.", .metrics),
            ] + [
                try command(.get, "/v1/store", "info", "What the store holds.", .value),
                try command(
                    .get, "/v1/catalog", "catalog", "Which event exists in which channel.", .lines),
                try command(
                    .get, "/v1/fields", "schema", "The fields of profiles.", .value,
                    without: ["change", "scale"]),
                try command(
                    .get, "/v1/maps", "maps", "The mappings that come with Winnow.", .lines,
                    without: ["name"]),
                try command(.get, "/v1/segments", "segment list", "The saved segments.", .lines),
                try command(
                    .get, "/v1/segments/{name}", "segment show",
                    "A saved segment, or with history its refreshes.",
                    .value, linesWith: "history"),
                try command(
                    .put, "/v1/segments/{name}", "segment save",
                    "Saves a rule, or with freeze or profiles those who are in it now.", .value,
                    rules: .one, writes: true),
                try command(
                    .delete, "/v1/segments/{name}", "segment remove",
                    "Removes a saved segment that no other one uses.", .nothing, writes: true),
                try ask(
                    "count", "Counts the profiles of a segment, exactly.", .value, .one,
                    without: series),
                try ask(
                    "counts", "Counts those of several segments, in order.", .lines, .many,
                    of: "count", without: series),
                try ask(
                    "explain",
                    "Says how a segment comes to its count, or why a profile is in or out.", .value,
                    .one),
                try ask("show", "All that the store has of profiles.", .lines, needs: ["what"]),
                try ask(
                    "breakdown", "Who is in a segment, by fields, or what they did, by time.",
                    .lines, .one),
                try ask("overlap", "How 2 to 64 segments share their profiles.", .value, .many),
                try ask(
                    "series", "Counts of a segment as of one instant after the other.", .lines,
                    .one, of: "count", without: ["as_of"], needs: ["since"]),
                try ask("export", "The profiles of a segment.", .export, .one),
                try ask("rule", "A rule in its canonical form.", .value, .one, needs: ["to"]),
                try ask(
                    "diff",
                    "Who would enter and leave a frozen segment, and which part of its rule decides.",
                    .value, of: "segment diff", needs: ["name"], linesWith: "ids"),
                try command(
                    .post, "/v1/refresh", "segment refresh",
                    "Finds the members of frozen segments anew.", .lines, writes: true),
                Endpoint(
                    "/v1/load/{kind}", "Loads the body as one atomic, durable batch.",
                    .command(
                        CommandWork(
                            table: try .named("load"), source: .data, answer: .value, place: "kind",
                            writes: true)), .post),
            ]
        }

        private static let series: Set = ["since", "until", "every"]

        private init(
            _ path: String, _ about: String, _ work: Work, _ method: HTTPRequest.Method = .get
        ) {
            self.method = method
            template = path
            self.path = Endpoint.parts(of: path)
            self.about = about
            self.work = work
        }

        /// The parts of a path that begins with a slash.
        static func parts(of path: some StringProtocol) -> [String] {
            String(path).dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(
                String.init)
        }

        /// A question, by the name of its command unless that is another's.
        private static func ask(
            _ name: String, _ about: String, _ answer: CommandWork.Answer,
            _ rules: CommandWork.Rules = .none, of owner: String? = nil,
            without keys: Set<String> = [], needs: [String] = [], linesWith: String? = nil
        ) throws(WinnowError) -> Endpoint {
            try command(
                .post, "/v1/\(name)", owner ?? name, about, answer, rules: rules, without: keys,
                needs: needs, linesWith: linesWith)
        }

        private static func command(
            _ method: HTTPRequest.Method, _ path: String, _ name: String, _ about: String,
            _ answer: CommandWork.Answer, rules: CommandWork.Rules = .none,
            without keys: Set<String> = [], needs: [String] = [],
            linesWith: String? = nil, writes: Bool = false
        ) throws(WinnowError) -> Endpoint {
            let hasBody = method == .post || method == .put
            let table = try CommandTable.named(name).without(keys)
            return Endpoint(
                path, about,
                .command(
                    CommandWork(
                        table: table, source: hasBody ? .body : .query,
                        answer: answer, rules: rules,
                        place: path.contains("{name}") ? "name" : nil, needs: needs,
                        linesWith: linesWith,
                        takesThreads: table.remoteParameters.contains { $0.key == "threads" },
                        writes: writes)),
                method)
        }
    }
#endif
