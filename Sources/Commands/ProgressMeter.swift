import Synchronization
import Winnow

/// One line on the terminal that says how far a long load is; nothing for a short one.
final class ProgressMeter: Sendable {
    private let session: any Session
    private let start = ContinuousClock().now
    private let shown = Mutex<ContinuousClock.Instant?>(nil)

    init(_ session: any Session) { self.session = session }

    func show(_ progress: LoadProgress) {
        if let elapsed = due(always: progress.isStoring) {
            session.status(ProgressMeter.line(progress, elapsed))
        }
    }

    func show(checked: Int, of total: Int) {
        if due(always: false) != nil {
            session.status("\(checked >> 20) of \(total >> 20) MiB checked")
        }
    }

    /// The seconds since the beginning where something is to be shown; nil where it is not.
    private func due(always: Bool) -> Double? {
        let now = ContinuousClock().now
        let elapsed = (now - start).seconds
        return shown.withLock { last in
            // The first second is nobody's worry; then twice a second is enough.
            guard elapsed > 1, last.map({ $0.duration(to: now).seconds > 0.5 }) ?? true || always
            else { return nil }
            last = now
            return elapsed
        }
    }

    static func line(_ progress: LoadProgress, _ elapsed: Double) -> String {
        let rate = Int(Double(progress.rows) / elapsed)
        var line =
            "\(Figures.grouped(progress.rows)) rows, \(Figures.grouped(rate)) rows/s, \(progress.bytes >> 20) MiB"
        if progress.isStoring { return line + ", storing" }
        if let total = progress.totalBytes, progress.bytes > 0, total >= progress.bytes {
            let left = elapsed * Double(total - progress.bytes) / Double(progress.bytes)
            line +=
                " of \(total >> 20) MiB, \(Int(left) / 60):\(Int(left) % 60 / 10)\(Int(left) % 10) left"
        }
        return line
    }
}
