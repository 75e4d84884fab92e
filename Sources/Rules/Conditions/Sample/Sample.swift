import WinnowJSON
import WinnowModel

/// A share of all profiles, chosen by a hash of their ids: the same profiles every time, others for
/// another salt.
public struct Sample: Sendable, Hashable {
    /// Hundredths of a percent, 0 … 10,000; the first included, the last not. An empty range is an
    /// error.
    public var range: Range<Int>
    /// Salts the hash.
    @Bytewise public var salt: String

    /// The profiles whose hash is in a range of hundredths of a percent.
    public init(_ range: Range<Int>, salt: String = "") {
        self.range = range
        self.salt = salt
    }
}

extension Rule {
    /// A share of all profiles.
    public static func sample(_ sample: Sample) -> Rule { Rule(.sample(sample)) }
}

extension Segment {
    /// A share of all profiles, chosen by a hash of their ids, in percent: `.sample(0, to: 10)`.
    /// - Parameter from: from 0 on; two decimals count.
    /// - Parameter to: up to 100.
    /// - Parameter salt: another one chooses other profiles.
    public static func sample(_ from: Double, to: Double, salt: String = "") -> Segment {
        // What is no percentage is out of range, and so an error when it is evaluated.
        func hundredths(_ percent: Double) -> Int { Int(exactly: (percent * 100).rounded()) ?? -1 }
        let low = hundredths(from)
        let high = hundredths(to)
        return Segment(
            .sample(Sample(min(low, high)..<(low < high ? high : min(low, high)), salt: salt)))
    }
}

extension RuleKey {
    fileprivate static let salt: RuleKey = "salt"
}

extension Sample: RuleCondition {
    package static let key: RuleKey = "sample"
    static let openings = ["sample"]
    var node: Rule.Node { .sample(self) }
    var timeUse: TimeUse { .none }

    private static let isNoPercentage =
        "expected a percentage from 0 to 100 with at most two decimals"

    func validate() throws(WinnowError) {
        for (key, hundredths) in [(RuleKey.from, range.lowerBound), (.to, range.upperBound)] {
            guard (0...10_000).contains(hundredths) else {
                throw .invalidRule(at: key, Sample.isNoPercentage)
            }
        }
        guard !range.isEmpty else { throw .invalidRule("from must be less than to") }
    }

    /// A percentage with at most two decimals, in hundredths; nil for anything else.
    private static func hundredths(of text: String) -> Int? {
        var text = text
        guard
            let literal = text.withUTF8({ unsafe DecimalLiteral(utf8: UnsafeRawBufferPointer($0)) }
            ),
            case .value(let value, true) = literal.scaled(to: 2), (0...10_000).contains(value)
        else { return nil }
        return Int(value)
    }

    // MARK: JSON

    static func read(_ value: RuleValue) throws(WinnowError) -> Sample {
        let object = try RuleObject(value, allowed: [.from, .to, .salt])
        let from = try hundredths(try object.required(.from))
        let to = try hundredths(try object.required(.to))
        guard from <= to else { throw value.error("from must be less than to") }
        return Sample(from..<to, salt: try object.optional(.salt)?.string() ?? "")
    }

    private static func hundredths(_ value: RuleValue) throws(WinnowError) -> Int {
        guard case .number(let text) = value.value, let hundredths = hundredths(of: text) else {
            throw value.error(isNoPercentage)
        }
        return hundredths
    }

    package func write(to json: inout JSONWriter) {
        func percent(_ hundredths: Int) -> String {
            "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
        }
        json.object { json in
            json.member(.from) { $0.literal(percent(range.lowerBound)) }
            json.member(.to) { $0.literal(percent(range.upperBound)) }
            if !salt.isEmpty { json.member(.salt, salt) }
        }
    }

    // MARK: Text

    /// sample = "sample" NUMBER "to" NUMBER [ "salted" STRING ]
    static func read(
        _ reader: inout TextReader, after opening: String?
    ) throws(WinnowError) -> Sample? {
        reader.mark([key])
        let from = try hundredths(&reader)
        try reader.require("to")
        let place = reader.token.start
        let to = try hundredths(&reader)
        guard from <= to else { throw reader.error("from must be less than to", at: place) }
        return Sample(from..<to, salt: reader.take("salted") ? try reader.string() : "")
    }

    private static func hundredths(_ reader: inout TextReader) throws(WinnowError) -> Int {
        guard case .number = reader.token.kind else {
            throw reader.failure(expecting: "a percentage")
        }
        guard let hundredths = hundredths(of: reader.lexer.text(reader.token)) else {
            throw reader.error(isNoPercentage)
        }
        reader.advance()
        return hundredths
    }

    func text() -> String {
        func percent(_ hundredths: Int) -> String {
            let tenth = hundredths % 100 / 10
            let hundredth = hundredths % 10
            let rest = hundredth > 0 ? ".\(tenth)\(hundredth)" : tenth > 0 ? ".\(tenth)" : ""
            return "\(hundredths / 100)\(rest)"
        }
        let text = "sample \(percent(range.lowerBound)) to \(percent(range.upperBound))"
        return salt.isEmpty ? text : "\(text) salted \(jsonString(salt))"
    }
}
