#if Server
    import HTTPTypes
    import Synchronization
    import Winnow

    /// Figures of what was asked and how long it took, in the text format of Prometheus. Labels are
    /// templates of paths, methods and statuses: nothing of what was asked.
    final class Metrics: Sendable {
        private struct Series {
            var count: [Int: Int] = [:]
            var buckets = [Int](repeating: 0, count: Metrics.limits.count)
            var seconds = 0.0

            mutating func add(_ status: Int, _ elapsed: Double) {
                count[status, default: 0] += 1
                seconds += elapsed
                if let bucket = Metrics.limits.firstIndex(where: { elapsed <= $0 }) {
                    buckets[bucket] += 1
                }
            }
        }

        /// Upper ends of the buckets, in seconds.
        private static let limits = [
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
        ]
        private static let unknown = Label(path: "other", method: "")

        private struct Label: Hashable, CustomStringConvertible {
            let path: String
            let method: String
            var description: String { "path=\"\(path)\",method=\"\(method)\"" }
        }

        private let start = Instant.now
        private let all = Mutex<[Label: Series]>([:])

        /// - Parameter endpoint: nil for a path that is none.
        func record(_ endpoint: Endpoint?, status: Int, _ elapsed: Duration) {
            let label =
                endpoint.map { Label(path: $0.template, method: $0.method.rawValue) }
                ?? Metrics.unknown
            let seconds = elapsed / .seconds(1)
            all.withLock { $0[label, default: Series()].add(status, seconds) }
        }

        /// - Parameter figures: others, by name: what they are, and how many.
        func text(_ figures: [(name: String, about: String, value: Int)]) -> String {
            let series = all.withLock(\.self).sorted {
                ($0.key.path, $0.key.method) < ($1.key.path, $1.key.method)
            }
            var text = """
                # HELP winnow_requests_total Requests answered.
                # TYPE winnow_requests_total counter

                """
            for (label, series) in series {
                for (status, count) in series.count.sorted(by: { $0.key < $1.key }) {
                    text += "winnow_requests_total{\(label),status=\"\(status)\"} \(count)\n"
                }
            }
            text += """
                # HELP winnow_request_seconds How long requests took.
                # TYPE winnow_request_seconds histogram

                """
            for (label, series) in series {
                var below = 0
                for (limit, count) in zip(Metrics.limits, series.buckets) {
                    below += count
                    text += "winnow_request_seconds_bucket{\(label),le=\"\(limit)\"} \(below)\n"
                }
                let count = series.count.values.reduce(0, +)
                text += "winnow_request_seconds_bucket{\(label),le=\"+Inf\"} \(count)\n"
                text += "winnow_request_seconds_sum{\(label)} \(series.seconds)\n"
                text += "winnow_request_seconds_count{\(label)} \(count)\n"
            }
            let own = [
                (
                    "winnow_start_time_seconds", "When the server began.",
                    Int(start.milliseconds / 1000)
                )
            ]
            for (name, about, value) in own + figures {
                let kind = name.hasSuffix("_total") ? "counter" : "gauge"
                text += "# HELP \(name) \(about)\n# TYPE \(name) \(kind)\n\(name) \(value)\n"
            }
            return text
        }
    }
#endif
