import Synchronization
import Winnow

/// One line on the terminal that says how far a long load is; nothing for a short one.
final class ProgressMeter: Sendable {
    private let start = ContinuousClock().now
    private let shown = Mutex<ContinuousClock.Instant?>(nil)

    func show(_ progress: LoadProgress) {
        let now = ContinuousClock().now, elapsed = (now - start).seconds
        let isDue = shown.withLock { last in
            // The first second is nobody's worry; then twice a second is enough.
            guard elapsed > 1, last.map({ ($0.duration(to: now)).seconds > 0.5 }) ?? true || progress.isStoring else {
                return false
            }
            last = now
            return true
        }
        if isDue { Terminal.status(ProgressMeter.line(progress, elapsed)) }
    }

    static func line(_ progress: LoadProgress, _ elapsed: Double) -> String {
        let rate = Int(Double(progress.rows) / elapsed)
        var line = "\(progress.rows) rows, \(rate) rows/s, \(progress.bytes >> 20) MiB"
        if progress.isStoring { return line + ", storing" }
        if let total = progress.totalBytes, progress.bytes > 0, total >= progress.bytes {
            let left = elapsed * Double(total - progress.bytes) / Double(progress.bytes)
            line += " of \(total >> 20) MiB, \(Int(left) / 60):\(Int(left) % 60 / 10)\(Int(left) % 10) left"
        }
        return line
    }
}
