import WinnowModel

/// Formats times of the year 2025; its dates are made once.
enum YearTime {
    private static let days: [[UInt8]] = (0..<400).map {
        Array((CivilDate(day: 20_089 + $0).description + "T").utf8)
    }

    /// - Parameter time: seconds since the start of the year.
    static func append(_ time: Int, to text: inout [UInt8]) {
        text.append(contentsOf: days[time / 86_400])
        let clock = time % 86_400
        put(clock / 3600, UInt8(ascii: ":"), &text)
        put(clock / 60 % 60, UInt8(ascii: ":"), &text)
        put(clock % 60, UInt8(ascii: "Z"), &text)
    }

    /// Two digits and a mark.
    private static func put(_ number: Int, _ mark: UInt8, _ text: inout [UInt8]) {
        text.append(0x30 + UInt8(number / 10))
        text.append(0x30 + UInt8(number % 10))
        text.append(mark)
    }
}
