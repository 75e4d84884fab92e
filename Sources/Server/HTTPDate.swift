#if Server
    import Synchronization
    import Winnow

    /// The time as HTTP writes it, made once a second.
    enum HTTPDate {
        private static let last = Mutex((second: Int64.min, text: ""))
        private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        private static let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]

        static var now: String {
            let second = Instant.now.milliseconds / 1000
            return last.withLock { last in
                if last.second != second { last = (second, text(second)) }
                return last.text
            }
        }

        /// - Parameter second: since 1970-01-01T00:00:00Z, not before.
        static func text(_ second: Int64) -> String {
            let instant = Instant(milliseconds: second * 1000).description
            let day = days[Int(second / 86_400 % 7)]
            let date = instant.prefix(10).split(separator: "-")
            let month = months[(Int(date[1]) ?? 1) - 1]
            return "\(day), \(date[2]) \(month) \(date[0]) \(instant.dropFirst(11).prefix(8)) GMT"
        }
    }
#endif
