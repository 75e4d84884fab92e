import WinnowColumns
import WinnowJSON
import WinnowModel

/// Reads a mapping, and checks it against a store's schema. Errors name the path.
struct MappingReader {
    private let schema: Schema

    static func mapping(_ json: String, _ schema: Schema) throws(WinnowError) -> Mapping {
        let value: JSONValue
        let text = json.hasPrefix("\u{FEFF}") ? String(json.dropFirst()) : json
        do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
            throw .usage("the mapping is no JSON at byte \(error.offset): \(error.message)")
        }
        return try MappingReader(schema: schema).mapping(MappingValue(value: value, path: ""))
    }

    private func mapping(_ value: MappingValue) throws(WinnowError) -> Mapping {
        let object = try value.object([
            "comment", "source", "where", "profile", "events", "subscriptions", "goals",
        ])
        var mapping = Mapping()
        if let source = object["source"] { mapping.source = try self.source(source) }
        mapping.conditions = try conditions(object["where"])
        if let profile = object["profile"] { mapping.profile = try self.profile(profile) }
        for kind in Mapping.Entry.Kind.allCases {
            for (i, entry) in try object[kind.rawValue]?.elements().enumerated() ?? [].enumerated()
            {
                mapping.entries.append(try self.entry(entry, kind, i))
            }
        }
        if let entry = mapping.entries.first(where: { !($0.kind == .goals && $0.anonymous) }),
            mapping.profile == nil
        {
            throw value.error("“profile” is missing, and \(entry.name) needs one")
        }
        if mapping.entries.isEmpty, mapping.profile?.writes != true {
            throw value.error(
                "it says nothing: no columns of profiles, no events, subscriptions or goals")
        }
        return mapping
    }

    private func source(_ value: MappingValue) throws(WinnowError) -> Mapping.Source {
        let object = try value.object(["format", "delimiter", "rows", "each", "timezone", "nulls"])
        var source = Mapping.Source()
        source.format = try object["format"]?.choice(InputFormat.self)
        if let delimiter = try object["delimiter"]?.string() {
            source.delimiter = delimiter == "tab" ? "\t" : delimiter.first
            guard delimiter == "tab" || delimiter.count == 1 else {
                throw value.error("the delimiter is one ASCII character, or tab")
            }
        }
        source.rows = try object["rows"].map(path)
        source.each = try object["each"].map(path)
        source.timezone = try object["timezone"]?.string()
        for null in try object["nulls"]?.elements() ?? [] {
            source.nulls.insert(Array(try null.string().utf8))
        }
        return source
    }

    private func conditions(_ value: MappingValue?) throws(WinnowError) -> [Mapping.Condition] {
        var conditions: [Mapping.Condition] = []
        for element in try value?.elements() ?? [] {
            let object = try element.object(["path", "matches"])
            let matches = try object.required("matches")
            var patterns: [Wildcard] = []
            for pattern in try matches.elements() {
                patterns.append(Wildcard(try pattern.string()))
            }
            if patterns.isEmpty { throw matches.error("the array is empty") }
            conditions.append(
                .init(path: try path(try object.required("path")), patterns: patterns))
        }
        return conditions
    }

    // MARK: Profiles

    private func profile(_ value: MappingValue) throws(WinnowError) -> Mapping.Profile {
        let object = try value.object([
            "match", "value", "mode", "ignore_empty", "columns", "optional_columns",
            "columns_from",
        ])
        let match = try object.required("match")
        let name = try match.string()
        var profile = Mapping.Profile(name: name, match: try self.match(match), mode: .find)
        var own: [[UInt8]: Mapping.Value] = [:]
        for (key, column) in try object["columns"]?.members() ?? [] {
            let value = try self.value(column, isTime: false)
            own[Array(key.utf8)] = value
            if sameBytes(key, Schema.idName) {
                profile.id = value
            } else {
                profile.columns.append((try field(key, column), value))
            }
        }
        for (key, column) in try object["optional_columns"]?.members() ?? [] {
            let value = try self.value(column, isTime: false)
            if let field = schema.index(of: key) { profile.columns.append((field, value)) }
        }
        if let from = object["columns_from"] {
            let object = try from.object(["path", "prefix", "unknown"])
            profile.columnsFrom = .init(
                path: try path(try object.required("path")),
                prefix: Array(try object["prefix"]?.string().utf8 ?? "".utf8),
                unknown: try object["unknown"]?.choice(Mapping.Profile.UnknownField.self)
                    ?? .reject)
        }
        let column =
            name.hasPrefix("field:")
            ? String(name.dropFirst(6)) : name == "email_or_subscription" ? "email" : name
        profile.value =
            try object["value"].map { (value) throws(WinnowError) in
                try self.value(value, isTime: false)
            } ?? own[Array(column.utf8)]
        if profile.value == nil {
            throw value.error("“value” is missing, and columns have no “\(column)”")
        }
        profile.mode =
            try object["mode"]?.choice(Mapping.Profile.Mode.self)
            ?? (profile.writes ? .upsert : .find)
        profile.ignoresEmpty = try object["ignore_empty"]?.boolean() ?? true
        return profile
    }

    private func match(_ value: MappingValue) throws(WinnowError) -> Mapping.Profile.Match {
        let name = try value.string()
        switch name {
        case "id": return .id
        case "email": return .email
        case "email_or_subscription": return .emailOrSubscription
        case "appmetrica_device_id": return .field(try field(name, value))
        default:
            guard name.hasPrefix("field:") else {
                throw value.error(
                    "“\(name)” is not one of id, email, email_or_subscription, "
                        + "appmetrica_device_id, field:NAME")
            }
            let number = try field(String(name.dropFirst(6)), value)
            guard schema.fields[number].type == .string else {
                throw value.error("profiles are matched by fields that are strings")
            }
            return .field(number)
        }
    }

    private func field(_ name: String, _ value: MappingValue) throws(WinnowError) -> Int {
        guard let number = schema.index(of: name) else {
            let names = schema.fields.map(\.name)
            throw value.error(
                "the store has no field “\(name)”\(nearestHint(for: name, among: names)); "
                    + "its fields are \(names.joined(separator: ", "))")
        }
        return number
    }

    // MARK: Records

    private func entry(
        _ value: MappingValue, _ kind: Mapping.Entry.Kind, _ number: Int
    ) throws(WinnowError) -> Mapping.Entry {
        let columns = kind.columns
        let names = columns.map { String(decoding: $0.name, as: UTF8.self) }
        let others =
            switch kind {
            case .events: ["where"]
            case .subscriptions: ["where", "if_exists", "for"]
            case .goals: ["where", "anonymous"]
            }
        let object = try value.object(names.dropFirst() + others)
        var entry = Mapping.Entry(kind: kind, name: "\(kind.rawValue)[\(number)]")
        entry.conditions = try conditions(object["where"])
        for (i, name) in names.enumerated().dropFirst() {
            guard let column = object[name] else { continue }
            entry.columns.append((i, try self.value(column, isTime: name == "time")))
        }
        func has(_ name: String) -> Bool { object[name] != nil }
        for (column, name) in zip(columns, names).dropFirst() where column.isRequired && !has(name)
        {
            throw value.error("“\(name)” is missing")
        }
        if kind != .subscriptions, has("time") == has("time_ms") {
            throw value.error("exactly one of time and time_ms is needed")
        }
        switch kind {
        case .events: entry.needed = names.firstIndex(of: has("time") ? "time" : "time_ms")
        case .goals: entry.needed = names.firstIndex(of: "goal")
        case .subscriptions: entry.needed = has("contact") ? names.firstIndex(of: "contact") : nil
        }
        entry.choice =
            switch try object["if_exists"]?.choice(ExistingRecords.self) ?? .keep {
            case .keep: .keep
            case .replace: .replace
            case .newer: .newer
            }
        entry.whom = try object["for"]?.choice(Mapping.Entry.Whom.self) ?? .all
        entry.anonymous = try object["anonymous"]?.boolean() ?? false
        return entry
    }

    // MARK: Values

    /// A path as a string, or an object that says more.
    private func value(
        _ value: MappingValue, isTime: Bool
    ) throws(WinnowError) -> Mapping.Value {
        if case .string = value.value {
            var steps = Mapping.Value.Steps()
            if isTime { steps.form = .datetime }
            return Mapping.Value(.path(try path(value)), steps)
        }
        let object = try value.object([
            "path", "value", "first", "join", "with", "trim", "lower", "split", "map", "otherwise",
            "as",
        ])
        let origins = ["path", "value", "first", "join"].filter { object[$0] != nil }
        guard origins.count == 1 else {
            throw value.error("exactly one of path, value, first and join is needed")
        }
        if object["with"] != nil, origins[0] != "join" {
            throw value.error("“with” belongs to “join”")
        }
        let origin: Mapping.Value.Origin
        switch origins[0] {
        case "path": origin = .path(try path(try object.required("path")))
        case "value": origin = .constant(try constant(try object.required("value")))
        case "first": origin = .first(try values(try object.required("first")))
        default:
            origin = .join(
                try values(try object.required("join")),
                with: Array(try object["with"]?.string().utf8 ?? "".utf8))
        }
        return Mapping.Value(origin, try steps(object, isTime: isTime))
    }

    private func steps(
        _ object: MappingObject, isTime: Bool
    ) throws(WinnowError) -> Mapping.Value.Steps {
        var steps = Mapping.Value.Steps()
        steps.trims = try object["trim"]?.boolean() ?? false
        steps.lowers = try object["lower"]?.boolean() ?? false
        if let split = object["split"] {
            steps.split = Array(try split.string().utf8)
            if steps.split?.isEmpty == true { throw split.error("the separator is empty") }
        }
        if let map = object["map"] {
            steps.map = []
            for (key, value) in try map.members() {
                steps.map?.append((Array(key.utf8), try constant(value)))
            }
        }
        if let otherwise = object["otherwise"] {
            guard steps.map != nil else { throw otherwise.error("“otherwise” belongs to “map”") }
            steps.otherwise = try constant(otherwise)
        }
        steps.form = try object["as"].map(form) ?? (isTime ? .datetime : nil)
        return steps
    }

    private func values(_ value: MappingValue) throws(WinnowError) -> [Mapping.Value] {
        var values: [Mapping.Value] = []
        for element in try value.elements() {
            values.append(try self.value(element, isTime: false))
        }
        if values.isEmpty { throw value.error("the array is empty") }
        return values
    }

    private func constant(_ value: MappingValue) throws(WinnowError) -> FeedValue {
        switch value.value {
        case .string(let text): return .text(Array(text.utf8))
        case .number(let digits): return .text(Array(digits.utf8))
        case .boolean(let flag): return .text(Array((flag ? "true" : "false").utf8))
        case .null: return .absent
        case .array, .object: throw value.error("expected a single value, not \(value.value.kind)")
        }
    }

    private func form(_ value: MappingValue) throws(WinnowError) -> Mapping.Value.Form {
        if case .object = value.value {
            let digits = try value.object(["decimal"]).required("decimal")
            guard case .number(let text) = digits.value, let places = Int(text),
                (0...Field.maximumScale).contains(places)
            else { throw digits.error("expected a number of digits from 0 to 9") }
            return .decimal(places)
        }
        let name = try value.string()
        switch name {
        case "seconds": return .seconds
        case "milliseconds": return .milliseconds
        case "datetime": return .datetime
        default:
            guard let pieces = TimePattern.pieces(name) else {
                throw value.error(
                    "“\(name)” is neither seconds, milliseconds, datetime nor a pattern such as "
                        + "dd.MM.yyyy HH:mm:ss")
            }
            return .pattern(pieces)
        }
    }

    private func path(_ value: MappingValue) throws(WinnowError) -> Mapping.Path {
        var keys: [[UInt8]] = [[]]
        var bytes = Array(try value.string().utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\"), bytes.first == UInt8(ascii: ".") {
                keys[keys.count - 1].append(UInt8(ascii: "."))
                bytes.removeFirst()
            } else if byte == UInt8(ascii: ".") {
                keys.append([])
            } else {
                keys[keys.count - 1].append(byte)
            }
        }
        guard !keys.contains([]) else { throw value.error("a path has no empty key") }
        guard keys.count <= Mapping.Path.levels + 1 else {
            throw value.error("a path goes at most \(Mapping.Path.levels) levels below the first")
        }
        return Mapping.Path(keys: keys)
    }
}

extension Mapping.Entry.Kind {
    /// The columns of the kind, the profile first.
    var columns: [InputColumn] {
        switch self {
        case .events: EventRows(latest: 0, loadsUnique: false).columns
        case .subscriptions: SubscriptionRows(choice: .keep).columns
        case .goals: GoalRows(latest: 0).columns
        }
    }
}

/// A value of a mapping, and where it is.
private struct MappingValue {
    let value: JSONValue
    let path: String

    func error(_ message: String) -> WinnowError {
        .usage("mapping\(path.isEmpty ? "" : ", \(path)"): \(message)")
    }

    func string() throws(WinnowError) -> String {
        guard case .string(let text) = value else {
            throw error("expected a string, not \(value.kind)")
        }
        return text
    }

    func boolean() throws(WinnowError) -> Bool {
        guard case .boolean(let flag) = value else {
            throw error("expected true or false, not \(value.kind)")
        }
        return flag
    }

    func choice<T: RawRepresentable & CaseIterable>(_: T.Type) throws(WinnowError) -> T
    where T.RawValue == String {
        let text = try string()
        guard let choice = T(rawValue: text) else {
            let names = T.allCases.map(\.rawValue)
            throw error(
                "“\(text)”\(nearestHint(for: text, among: names)) is not one of "
                    + names.joined(separator: ", "))
        }
        return choice
    }

    func elements() throws(WinnowError) -> [MappingValue] {
        guard case .array(let elements) = value else {
            throw error("expected an array, not \(value.kind)")
        }
        return elements.enumerated().map {
            MappingValue(value: $0.element, path: "\(path)[\($0.offset)]")
        }
    }

    func members() throws(WinnowError) -> [(key: String, value: MappingValue)] {
        guard case .object(let members) = value else {
            throw error("expected an object, not \(value.kind)")
        }
        var seen: Set<[UInt8]> = []
        return try members.map { (member) throws(WinnowError) in
            let inner = path.isEmpty ? member.key : "\(path).\(member.key)"
            let value = MappingValue(value: member.value, path: inner)
            guard seen.insert(Array(member.key.utf8)).inserted else {
                throw value.error("the key is repeated")
            }
            return (member.key, value)
        }
    }

    /// The members of an object that has no other keys than these.
    func object(_ keys: [String]) throws(WinnowError) -> MappingObject {
        var members: [String: MappingValue] = [:]
        for (key, value) in try self.members() {
            guard keys.contains(where: { sameBytes($0, key) }) else {
                throw value.error(
                    "unknown key\(nearestHint(for: key, among: keys)); "
                        + "the keys are \(keys.joined(separator: ", "))")
            }
            members[key] = value
        }
        return MappingObject(value: self, members: members)
    }
}

private struct MappingObject {
    let value: MappingValue
    let members: [String: MappingValue]

    subscript(key: String) -> MappingValue? { members[key] }

    func required(_ key: String) throws(WinnowError) -> MappingValue {
        guard let member = members[key] else { throw value.error("“\(key)” is missing") }
        return member
    }
}
