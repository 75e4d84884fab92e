#if Server
    import Winnow
    import WinnowCommands
    import WinnowJSON
    import WinnowThreads

    /// What a command is asked.
    struct Question: Sendable {
        let work: CommandWork
        /// What the address says.
        var members: [(key: String, value: JSONValue)] = []
        /// A JSON object with the rest; empty where the address says all.
        var body: [UInt8] = []
        let wantsArray: Bool
        var input: LoadInput?
        /// Whether it may take all cores unless it says how many threads it wants.
        var isAlone = true

        /// Answers it, on this thread.
        func answer(to answers: Answers) throws(WinnowError) {
            let members = try allMembers()
            try check(members)
            if try answerCounts(members, to: answers) { return }
            let arguments = try CommandArguments(
                of: work.table, members, store: answers.store.path, hasInput: input != nil,
                isRemote: true)
            answers.begin(
                arguments, asArray: wantsArray,
                work.linesWith.map { key in members.contains { $0.key == key } } ?? false,
                work.answer == .export ? Question.content(members) : nil)
            _ = try work.table.run(arguments, in: answers)
        }

        /// What an export with these members is.
        private static func content(
            _ members: [(key: String, value: JSONValue)]
        ) -> ExportedContent {
            if members.contains(where: { $0.key == "audience" }) { return .text }
            for case ("format", .string(let name)) in members {
                if let format = ExportFormat(rawValue: name) { return format.content }
            }
            return ExportFormat.ids.content
        }

        private func allMembers() throws(WinnowError) -> [(key: String, value: JSONValue)] {
            guard work.source == .body else { return members }
            var members = members
            guard let text = String(validating: body, as: UTF8.self) else {
                throw .usage("the body is not UTF-8")
            }
            let own = try CommandCall.members(of: text, "the members of the body")
            if let place = work.place, own.contains(where: { $0.key == place }) {
                throw .usage("“\(place)” is in the address; leave it out of the body")
            }
            members += own
            if !isAlone, work.takesThreads, !own.contains(where: { $0.key == "threads" }) {
                members.append(("threads", .number("1")))
            }
            return members
        }

        private func check(_ members: [(key: String, value: JSONValue)]) throws(WinnowError) {
            for key in work.needs where !members.contains(where: { $0.key == key }) {
                throw .usage("\(work.table.name): “\(key)” is missing")
            }
            let rules = members.filter { ["rule", "text", "rules"].contains($0.key) }
            switch work.rules {
            case .none: break
            case .one:
                guard rules.count < 2 else {
                    throw .usage("give one rule, as “rule” or as “text”")
                }
                switch rules.first?.value {
                case .string?, .object?: break
                case nil where members.contains { $0.key == "profiles" }: break
                default:
                    throw .usage(
                        "one rule is needed: “rule” with a rule as JSON, or “text” with its text")
                }
                if rules.first?.key == "rules" {
                    throw .usage("one rule is asked for, as “rule” or “text”")
                }
            case .many:
                guard rules.count == 1, rules.first?.key == "rules",
                    case .array? = rules.first?.value
                else { throw .usage("“rules” is needed: an array of rules") }
            }
        }

        /// Counts without the way through a command's arguments, which takes longer than many a count.
        private func answerCounts(
            _ members: [(key: String, value: JSONValue)], to answers: Answers
        ) throws(WinnowError) -> Bool {
            guard work.table.name == "count" else { return false }
            var rules: [String] = []
            var options: [(key: String, value: JSONValue)] = []
            for (key, value) in members {
                switch key {
                case "rule", "text": rules.append(try Question.rule(value))
                case "rules":
                    guard case .array(let elements) = value else { return false }
                    for element in elements { rules.append(try Question.rule(element)) }
                case "as_of", "timezone", "strict", "threads": options.append((key, value))
                default: return false
                }
            }
            let evaluation = try EvaluationOptions(options)
            answers.begin(asArray: wantsArray)
            for json in try CommandCall.counts(of: rules, in: try answers.snapshot(), evaluation) {
                try answers.answer(json)
            }
            return true
        }

        private static func rule(_ value: JSONValue) throws(WinnowError) -> String {
            switch value {
            case .string(let text): return text
            case .object:
                var json = JSONWriter()
                json.value(value)
                return json.text
            default: throw .usage("a rule is an object or a text, not \(value.kind)")
            }
        }
    }
#endif
