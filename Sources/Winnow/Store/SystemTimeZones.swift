import WinnowDisk
import WinnowModel
import WinnowRules

extension TimeZoneRules {
    private static let folders = [
        "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo",
    ]

    /// A zone of the system's IANA data.
    /// - Throws: `WinnowError.usage` when the system has no zone of that name; never another zone
    ///   instead.
    package static func system(_ name: String) throws(WinnowError) -> TimeZoneRules {
        if name == "UTC" { return .utc }
        if isPlausible(name: name) {
            for folder in folders {
                guard
                    let bytes = try? InputStream(path: folder + "/" + name).readAll(limit: 1 << 20)
                else { continue }
                if let zone = TimeZoneRules(name: name, tzif: bytes) { return zone }
            }
        }
        throw .usage(
            "unknown time zone “\(name)”; names are those of the IANA database (package tzdata)")
    }
}
