import WinnowJSON
import WinnowFormat
import WinnowModel

/// What a batch consists of, for comparing: its kind, its mode, the options that say how its text
/// is read, where they are not the usual ones, and the bytes of its files, in order.
enum BatchDigest {
    static func of(_ kind: LoadKind, _ options: LoadOptions, files: [[UInt8]]) -> [UInt8] {
        var digest = SHA256()
        let head = "\(kind.rawValue)\n\(options.mode.rawValue)\n" + unusual(options)
        unsafe Array(head.utf8).withUnsafeBytes { unsafe digest.update($0) }
        for file in files { unsafe file.withUnsafeBytes { unsafe digest.update($0) } }
        return digest.finish()
    }

    /// The options that are not as usual, as a line of JSON with its keys in order; none for none.
    private static func unusual(_ options: LoadOptions) -> String {
        let usual = LoadOptions()
        var json = JSONWriter()
        json.object {
            if options.delimiter != usual.delimiter {
                $0.member("delimiter", String(options.delimiter))
            }
            if options.distinct { $0.member("distinct", true) }
            if options.emptyClears { $0.member("empty", "clear") }
            if options.ifExists != usual.ifExists {
                $0.member("if_exists", options.ifExists.rawValue)
            }
            if options.ignoresUnknownColumns { $0.member("ignore_columns", true) }
            if options.ignoresSimilarColumns { $0.member("ignore_similar_columns", true) }
            if options.quotedEmptyIsAbsent { $0.member("quoted_empty", "absent") }
            if !options.renames.isEmpty {
                $0.member("rename") { json in
                    json.object { json in
                        let sorted = options.renames.sorted {
                            $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
                        }
                        for (old, new) in sorted { json.member(old, new) }
                    }
                }
            }
            if let separator = options.setSeparator {
                $0.member("set_separator", String(separator))
            }
            if let mapping = options.mapping {
                $0.member("mapping", mapping.canonical)
            }
            if options.allowsEmptyEntries { $0.member("allow_empty", true) }
            if let timezone = options.timezone, timezone != "UTC" {
                $0.member("timezone", timezone)
            }
            if options.trims { $0.member("trim", true) }
            if let unknown = options.unknownProfiles,
                unknown != (options.mapping == nil ? .reject : .skip)
            {
                $0.member("unknown_profiles", unknown.rawValue)
            }
        }
        return json.text == "{}" ? "" : json.text + "\n"
    }
}

extension FeedMapping {
    /// The document without what does not matter in it: blanks, and the order of keys.
    fileprivate var canonical: String {
        guard let value = try? JSONValue(parsing: json) else { return json }
        var json = JSONWriter()
        json.value(value, sortingKeys: true)
        return json.text
    }
}
