import Benchmark
import Foundation

/// Registers a benchmark that reports how long a piece of work takes in thousandths of another, the
/// reference, in the same process and the same moment: on a shared machine times wander by half,
/// such ratios by a few percent.
///
/// Each of several samples alternates between the two and takes the shortest of both; the lower
/// quartile of the samples is reported. Both should take between ten microseconds and some
/// milliseconds.
/// - Parameter rounds: how often each runs in a sample.
public func ratio(
    _ name: String, rounds: Int = 15, samples: Int = 15, of work: @escaping () -> Void,
    to reference: @escaping () -> Void
) {
    // Benchmarks run one after the other.
    nonisolated(unsafe) let work = work
    nonisolated(unsafe) let reference = reference
    let metric = BenchmarkMetric.custom(
        "per mille of reference", polarity: .prefersSmaller, useScalingFactor: false)
    let slowdown = injectedSlowdown(name)
    Benchmark(
        name,
        configuration: .init(
            metrics: [metric], warmupIterations: 0, maxDuration: .seconds(60), maxIterations: 1)
    ) { benchmark in
        var ratios: [Double] = []
        work()
        for _ in 0..<samples {
            var own = Duration.seconds(1000)
            var other = own
            for _ in 0..<rounds {
                other = min(other, ContinuousClock().measure(reference))
                own = min(own, ContinuousClock().measure { run(work, slowdown) })
            }
            ratios.append(own / other)
        }
        ratios.sort()
        benchmark.measurement(metric, Int((1000 * ratios[samples / 4]).rounded()))
    }
}

private func run(_ work: () -> Void, _ slowdown: Double) {
    let start = ContinuousClock.now
    work()
    guard slowdown > 1 else { return }
    let end = start + (ContinuousClock.now - start) * slowdown
    while ContinuousClock.now < end {}
}

/// `WINNOW_BENCH_SLOWDOWN=name=1.5` makes one benchmark slower, to see that it is noticed.
private func injectedSlowdown(_ name: String) -> Double {
    let wanted =
        ProcessInfo.processInfo.environment["WINNOW_BENCH_SLOWDOWN"]?.split(separator: "=") ?? []
    guard wanted.count == 2, wanted[0] == name, let factor = Double(wanted[1]) else { return 1 }
    return factor
}
