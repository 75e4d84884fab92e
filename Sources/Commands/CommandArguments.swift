import ArgumentParser
import Winnow
import WinnowJSON

/// What a program gives to a command, as a shell would.
package struct CommandArguments: Sendable {
    let words: [String]
    /// The ids that are meant where a shell would name a file of them.
    package let profiles: [String]?

    /// - Parameters:
    ///   - members: keys and values; what they are, see `CommandCall`.
    ///   - store: the store that is open; nil where the members name one.
    ///   - hasInput: whether a file named `-` is what the program hands over.
    ///   - isRemote: whether the program is on another machine: nothing that names a file is taken.
    /// - Throws: `usage` that says which keys there are, or what a value can be.
    package init(
        of table: CommandTable, _ members: [(key: String, value: JSONValue)], store: String?,
        hasInput: Bool = false, isRemote: Bool = false
    ) throws(WinnowError) {
        var options: [String] = []
        var places: [String: [String]] = [:]
        var profiles: [String]?
        for (key, value) in members {
            if case .null = value { continue }
            let parameter = try CommandArguments.parameter(of: table, key, value, isRemote)
            if parameter.key == "profiles", case .array(let elements) = value {
                profiles = try elements.map { (id) throws(WinnowError) in
                    guard case .string(let text) = id else {
                        throw WinnowError.usage("an id is a string, not \(id.kind)")
                    }
                    return text
                }
                options.append("\(parameter.option)=-")
                continue
            }
            if parameter.kind == .flag {
                guard case .boolean(let isGiven) = value else {
                    throw .usage("“\(key)” is true or false, not \(value.kind)")
                }
                if isGiven { options.append(parameter.option) }
                continue
            }
            if isRemote { try CommandArguments.check(value, parameter) }
            let words = try CommandArguments.words(parameter, key, value)
            guard hasInput && key == "files" || !parameter.namesFile || !words.contains("-") else {
                throw .usage("“\(key)” names a file; - is for a shell's standard input")
            }
            if parameter.kind == .positional {
                places[parameter.key, default: []] += words
            } else if parameter.option.hasPrefix("--") {
                // An empty value stands by itself; any other could be taken for an option there.
                options += words.flatMap {
                    $0.isEmpty ? [parameter.option, ""] : ["\(parameter.option)=\($0)"]
                }
            } else {
                options += words.flatMap { [parameter.option, $0] }
            }
        }
        if let store {
            guard places["store"] == nil else {
                throw .usage("the store is open already; leave “store” out")
            }
            places["store"] = [store]
        }
        if hasInput, isRemote { places["files"] = ["-"] }
        // What comes by place is no option, whatever it begins with.
        words = options + ["--"] + (try CommandArguments.inOrder(places, of: table))
        self.profiles = profiles
    }

    /// Lets pass what the parameter's schema says, and no more.
    private static func check(
        _ value: JSONValue, _ parameter: Parameter
    ) throws(WinnowError) {
        let isFit: Bool
        let wanted: String
        switch (parameter, value) {
        case let (parameter, value) where parameter.inlineForm != nil:
            wanted = parameter.inlineForm?.rawValue ?? ""
            isFit = parameter.inlineForm?.allows(value) ?? true
        case let (parameter, .number(digits)) where parameter.isNumber:
            wanted = "a whole number up to \(Parameter.greatestNumber)"
            isFit = Int(digits).map { (0...Parameter.greatestNumber).contains($0) } ?? false
        case (let parameter, _) where parameter.isNumber:
            (wanted, isFit) = ("a whole number", false)
        case (_, .string), (_, .boolean): return
        case (let parameter, .array) where parameter.isList || parameter.isRepeating: return
        case (let parameter, .object) where parameter.isRepeating: return
        case (let parameter, .object) where parameter.key == "rule": return
        case (let parameter, .array) where parameter.key == "rule": return
        default: (wanted, isFit) = ("a text", false)
        }
        guard isFit else { throw .usage("“\(parameter.key)” is \(wanted), not \(value.kind)") }
    }

    /// What comes by place, in the order of the places, none of them left out before another.
    private static func inOrder(
        _ places: [String: [String]], of table: CommandTable
    ) throws(WinnowError) -> [String] {
        var words: [String] = []
        var leftOut: String?
        for place in table.parameters where place.kind == .positional {
            guard let own = places[place.key], !own.isEmpty else {
                guard place.isOptional else {
                    throw .usage("\(table.name): “\(place.key)” is missing")
                }
                leftOut = place.key
                continue
            }
            guard place.isRepeating || own.count == 1 else {
                throw .usage("\(table.name) takes one “\(place.key)”, not \(own.count)")
            }
            if let leftOut {
                throw .usage("\(table.name): “\(place.key)” needs “\(leftOut)”, too")
            }
            words += own
        }
        return words
    }

    private static func parameter(
        of table: CommandTable, _ key: String, _ value: JSONValue, _ isRemote: Bool
    ) throws(WinnowError) -> Parameter {
        var name = key
        let takesRule = table.parameters.contains { $0.key == "rule" }
        if takesRule, key == "text" { name = "rule" }
        if takesRule, key == "rules" {
            switch value {
            case .array, .object: name = "rule"
            default: break
            }
        }
        let parameters = isRemote ? table.remoteParameters : table.parameters
        if let found = parameters.first(where: { $0.key == name }) { return found }
        let keys = parameters.map(\.key)
        throw .usage(
            "unknown key “\(key)”\(nearestHint(for: key, among: keys)); \(table.name) takes "
                + keys.joined(separator: ", "))
    }

    private static func words(
        _ parameter: Parameter, _ key: String, _ value: JSONValue
    ) throws(WinnowError) -> [String] {
        switch value {
        case .array(let elements):
            let words = try elements.map { (element) throws(WinnowError) in
                try word(element, for: key)
            }
            if parameter.isRepeating || parameter.kind == .positional { return words }
            if let comma = words.first(where: { $0.contains(",") }) {
                throw .usage("“\(key)” cannot have “\(comma)”, which has a comma in it")
            }
            return [words.joined(separator: ",")]
        case .object(let members) where parameter.isRepeating && parameter.kind == .option:
            return try members.map { (member) throws(WinnowError) in
                let value = try word(member.value, for: key)
                guard !member.key.contains("="), !value.contains("=") else {
                    throw WinnowError.usage("“\(key)” cannot have names with = in them")
                }
                return "\(member.key)=\(value)"
            }
        default: return [try word(value, for: key)]
        }
    }

    private static func word(_ value: JSONValue, for key: String) throws(WinnowError) -> String {
        switch value {
        case .string(let text): return text
        case .number(let digits): return digits
        case .object:
            var json = JSONWriter()
            json.value(value)
            return json.text
        case .null, .boolean, .array:
            throw WinnowError.usage("“\(key)” cannot be \(value.kind)")
        }
    }
}

extension CommandTable {
    /// Runs the command.
    /// - Returns: false when something was checked and found wrong; the answers say what.
    /// - Throws: what the command throws, `usage` for arguments that it does not take.
    package func run(
        _ arguments: CommandArguments, in session: any Session
    ) throws(WinnowError) -> Bool {
        do {
            guard let parsed = try command.parseAsRoot(arguments.words) as? any Command else {
                throw WinnowError.usage("\(name) takes no such arguments")
            }
            try parsed.run(in: session)
            return true
        } catch let error as WinnowError {
            throw error
        } catch is Unsound {
            return false
        } catch {
            let lines = command.message(for: error).split(separator: "\n").prefix {
                !$0.hasPrefix("Usage:") && !$0.hasPrefix("Help:")
            }
            let message = lines.map { line in
                line.split(separator: " ").joined(separator: " ")
            }.joined(separator: " ")
            throw .usage("\(name): \(message.isEmpty ? "wrong arguments" : message)")
        }
    }
}
