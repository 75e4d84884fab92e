import Benchmark
import WinnowCKernels
import Foundation
import Ratios
import Winnow

/// Evaluation by kind of rule, binding alone, opening, and loading, each in thousandths of counting
/// a million postings with the baseline kernel; answers beside what they are made of. `tools/bench` makes the stores: 500,000 profiles with
/// 10 million events, and 2.5 million profiles with five million subscriptions and ten million
/// goals.
let benchmarks: @Sendable () -> Void = {
    guard let folder = ProcessInfo.processInfo.environment["WINNOW_BENCH_DATA"] else {
        return print("WINNOW_BENCH_DATA is not set: run tools/bench")
    }
    let reference = Postings()
    let path = folder + "/store"
    guard let snapshot = try? Store(path).snapshot(),
        let reach = try? Store(folder + "/reach").snapshot()
    else {
        return print("\(folder) has no stores: run tools/bench")
    }
    var options = EvaluationOptions()
    options.asOf = Instant("2026-01-01T00:00:00Z")
    options.threads = 1
    func rule(_ name: String, times: Int = 1, _ json: String) {
        guard let segment = try? Segment(json: json) else {
            return print("\(name): \(json) is no rule")
        }
        ratio(
            name,
            of: { for _ in 0..<times { blackHole(try? snapshot.count(segment, options).count) } },
            to: {
                reference.count()
            })
    }
    func ask(_ name: String, times: Int = 1, _ text: String) {
        guard let segment = try? Segment(text) else { return print("\(name): \(text) is no rule") }
        ratio(
            name,
            of: { for _ in 0..<times { blackHole(try? reach.count(segment, options).count) } },
            to: { reference.count() })
    }
    ask("opened-by-people", "email opened at least 1 times by people in the last 90 days")
    ask("reachable", times: 5, "reachable by email")
    ask(
        "subscriptions-counted", times: 5,
        "subscription at least 2 times channel push status \"subscribed\"")
    ask(
        "goal-sum-in-window",
        "goal \"purchase\" at least 1 times value sum at least 100 in the last 90 days")
    ask("goal-without-goal", "goal \"add_to_cart\" exists and goal \"purchase\" does not exist")
    guard let lists = try? SegmentBench(copying: path) else { return print("no lists") }
    ratio(
        "refresh-of-lists-beside-their-count", rounds: 3, samples: 7, of: { lists.refresh() },
        to: { lists.count() })
    ratio(
        "difference-beside-its-count", rounds: 5, of: { lists.compare() }, to: { lists.countOne() })
    ratio(
        "members-of-a-list", of: { for _ in 0..<20 { lists.members() } }, to: { reference.count() })
    func opened(_ rest: String) -> String {
        #"{"activity": {"channel": "email", "event": "opened", \#(rest)}}"#
    }
    let clicked = #"{"activity": {"channel": "email", "event": "clicked", "operator": "at_least", "#
    rule("stored-count", times: 20, opened(#""operator": "at_least", "times": 5"#))
    rule(
        "union-of-campaigns",
        opened(
            #""operator": "at_least", "times": 1, "campaigns": {"tags": ["Sale"]}"#))
    rule(
        "count-in-campaigns",
        opened(
            #""operator": "at_least", "times": 2, "campaigns": {"tags": ["Sale"]}"#))
    rule(
        "window",
        opened(#""operator": "at_least", "times": 1, "during": {"last": 30, "unit": "days"}"#))
    rule(
        "count-in-window",
        opened(#""operator": "at_least", "times": 3, "during": {"last": 90, "unit": "days"}"#))
    rule("links", times: 5, clicked + #""times": 1, "links": ["l3"]}}"#)
    rule(
        "preceded-in-scope",
        #"""
        {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
         "campaigns": ["c4", "c40", "c140"], "preceded_by": {"event": "delivered"}}}
        """#)
    rule(
        "preceded-by-object",
        #"""
        {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
         "campaigns": {"tags": ["Sale"]}, "preceded_by": {"event": "delivered", "pairing": "object"}}}
        """#)
    rule(
        "preceded-by-message",
        #"""
        {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
         "campaigns": ["c4", "c40", "c140"], "preceded_by": {"event": "delivered", "pairing": "message"}}}
        """#)
    rule(
        "by-people",
        opened(
            #""operator": "at_least", "times": 1, "by": "people", "during": {"last": 30}"#))
    rule(
        "latest-campaigns",
        opened(#""operator": "at_least", "times": 1, "campaigns": {"latest": 5}"#))
    rule(
        "campaigns-at-least",
        opened(
            #""operator": "at_least", "times": 1, "campaigns": {"tags": ["Sale"]}, "counting": {"at_least": 2}"#
        ))
    rule(
        "after-in-scope",
        #"""
        {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
         "campaigns": ["c4", "c40", "c140"], "after": {"event": "delivered"}}}
        """#)
    rule(
        "after-by-message",
        #"""
        {"activity": {"channel": "email", "event": "opened", "operator": "not_happened",
         "campaigns": ["c4", "c40", "c140"], "after": {"event": "delivered", "pairing": "message"}}}
        """#)
    rule(
        "unique-clicks",
        #"""
        {"activity": {"channel": "email", "event": "unique_clicked", "operator": "at_least", "times": 2,
         "during": {"from": "2025-03-01", "to": "2025-09-30"}}}
        """#)
    rule(
        "fields", times: 5,
        #"""
        {"all": [{"field": {"name": "country", "operator": "in", "value": ["DE", "FR"]}},
         {"field": {"name": "age", "operator": "between", "value": [25, 34]}},
         {"field": {"name": "ltv", "operator": "greater_than", "value": 50}}]}
        """#)
    rule(
        "text-contains",
        #"{"field": {"name": "email", "operator": "contains", "value": "77@inbox"}}"#)
    rule("sample", #"{"sample": {"from": 0, "to": 5}}"#)
    // Nobody got a mail of a campaign that is not there, so the rest is bound but never evaluated.
    rule(
        "binding-alone", times: 5,
        #"""
        {"all": [{"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 2,
         "campaigns": {"tags": ["Sale"]}, "during": {"last": 60, "unit": "days"}}},
         {"activity": {"channel": "email", "event": "opened", "operator": "at_least", "times": 1,
         "campaigns": ["never"]}}]}
        """#)
    answers(snapshot, options, reference)
    let together = (1...40).compactMap { n in
        try? Segment(
            json: opened(
                #""operator": "at_least", "times": \#(n), "during": {"last": 90, "unit": "days"}"#))
    }
    ratio(
        "forty-segments-together", rounds: 5,
        of: { blackHole(try? snapshot.count(together, options)) },
        to: {
            reference.count()
        })
    guard
        let quiet = try? Segment(
            json: clicked + #""times": 2, "during": {"last": 30, "unit": "days"}}}"#),
        let scattered = try? Segment(
            json: opened(#""operator": "at_least", "times": 2, "campaigns": {"tags": ["Sale"]}"#))
    else {
        return
    }
    ratio(
        "open-and-first-count",
        of: {
            blackHole(try? Store(path).snapshot().count(quiet, options).count)
        }, to: { reference.count() })
    if let cold = ColdFiles(of: path) {
        ratio(
            "cold-first-count-beside-reading-32-MiB", rounds: 3,
            of: {
                cold.forget()
                blackHole(try? Store(path).snapshot().count(scattered, options).count)
            },
            to: {
                cold.forget()
                cold.read(32 << 20)
            })
    }
    let target = folder + "/load"
    func load(_ kind: LoadKind) {
        ratio(
            "load-\(kind.rawValue)", rounds: 2, samples: 5,
            of: {
                try? FileManager.default.removeItem(atPath: target)
                do {
                    let store = try Store.create(target)
                    try store.load(
                        kind, from: .files([folder + "/some-\(kind.rawValue).csv"]),
                        options: EngineBench.creating)
                } catch {
                    print("loading failed: \(error)")
                }
            }, to: { for _ in 0..<100 { reference.count() } })
    }
    load(.events)
    load(.subscriptions)
    load(.goals)
}

/// What is asked of a segment beyond its count, each beside what it is made of.
private func answers(_ snapshot: Snapshot, _ options: EvaluationOptions, _ reference: Postings) {
    let parts = [
        "email opened at least 3 in the last 90 days", "country in (\"DE\", \"FR\")", "vip = false",
        "age between 20 and 60", "push clicked exists", "email delivered at least 2",
        "email hard_bounced does not exist", "email clicked not happened in the last 7 days",
        "interests has any (\"books\", \"games\")", "city is not blank",
    ].compactMap { try? Segment($0) }
    @Sendable func countAll() {
        for part in parts { blackHole(try? snapshot.count(part, options).count) }
    }
    ratio(
        "explain-beside-its-nodes",
        of: { blackHole(try? snapshot.explain(Segment(.all(parts.map(\.rule))), options).count) },
        to: { countAll() })
    let cores = min(8, ProcessInfo.processInfo.activeProcessorCount)
    ratio(
        "eight-threads-beside-one-a-core", rounds: 5,
        of: { onThreads(8) { for _ in 0..<cores { countAll() } } },
        to: { for _ in 0..<8 { countAll() } })
    let many = (1...64).compactMap { n in
        try? Segment("email opened at least \(n) in the last \(n * 5) days")
    }
    ratio(
        "overlap-beside-its-counts", rounds: 5,
        of: { blackHole(try? snapshot.overlap(of: many, options).union) },
        to: { for one in many { blackHole(try? snapshot.count(one, options).count) } })
    ratio(
        "breakdown-by-country",
        of: {
            let by = BreakdownOptions(by: [.field("country")])
            blackHole(try? snapshot.breakdown(of: parts[0], by, options).lines.count)
        }, to: { reference.count() })
    var own = options
    own.asOf = nil
    // As of now tables of last events tell more than as of any day before.
    var middle = options
    middle.asOf = Instant("2025-07-01T00:00:00Z")
    ratio(
        "year-of-counts-beside-one", rounds: 5,
        of: {
            let since = SeriesTime.instant(Instant(milliseconds: 1_735_689_600_000))
            let until = SeriesTime.instant(Instant(milliseconds: 1_767_139_200_000))
            blackHole(
                try? snapshot.series(of: parts[0], since: since, until: until, own).points.count)
        }, to: { blackHole(try? snapshot.count(parts[0], middle).count) })
}

/// Calls `work` on so many threads of its own, and waits for all of them.
private func onThreads(_ count: Int, _ work: @escaping @Sendable () -> Void) {
    let done = DispatchGroup()
    for _ in 0..<count {
        done.enter()
        Thread.detachNewThread {
            work()
            done.leave()
        }
    }
    done.wait()
}

/// A copy of the store with fifty static segments.
final class SegmentBench: @unchecked Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "winnow-bench-\(UUID().uuidString)")
    private let store: Store
    private let segments: [Segment]
    private var asOf: Int64 = 1_764_547_200_000

    init(copying path: String) throws {
        try FileManager.default.copyItem(atPath: path, toPath: folder.path)
        store = try Store(folder.path)
        segments = try (0..<50).map { n in
            try Segment(
                "email opened at least \(n % 3 + 1) in the last \(n * 5 + 5) days and age > \(n)")
        }
        for (n, segment) in segments.enumerated() {
            try store.freeze(segment, as: "list \(n)", SaveOptions(evaluation: options))
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var options: EvaluationOptions {
        EvaluationOptions(asOf: Instant(milliseconds: asOf), threads: 1)
    }

    /// An hour later each time.
    func refresh() {
        asOf += 3_600_000
        blackHole(try? store.refresh(nil, options).refreshes.count)
    }

    func count() { blackHole(try? store.snapshot().count(segments, options).count) }
    func countOne() { blackHole(try? store.snapshot().count(segments[9], options).count) }
    func compare() {
        var later = options
        later.asOf = Instant(milliseconds: asOf + 86_400_000)
        blackHole(try? store.snapshot().difference(of: "list 9", later).entered)
    }
    func members() { blackHole(try? store.snapshot().count(.saved("list 9"), options).count) }
}

/// The parts of a store, which the system can be told to drop from memory.
final class ColdFiles: @unchecked Sendable {
    private var files: [(descriptor: Int32, size: Int)] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)

    init?(of store: String) {
        let folder = store + "/parts/"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let descriptor = open(folder + name, O_RDONLY)
            guard descriptor >= 0 else { return nil }
            files.append((descriptor, Int(lseek(descriptor, 0, SEEK_END))))
        }
        files.sort { $0.size > $1.size }
        if files.isEmpty { return nil }
    }

    deinit {
        for file in files { close(file.descriptor) }
        buffer.deallocate()
    }

    func forget() {
        for file in files { posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) }
    }

    /// Reads the beginning of the largest.
    func read(_ count: Int) {
        var at = 0
        while at < count, pread(files[0].descriptor, buffer.baseAddress, buffer.count, at) > 0 {
            at += buffer.count
        }
    }
}

enum EngineBench {
    static var creating: LoadOptions {
        var options = LoadOptions()
        options.unknownProfiles = .create
        return options
    }
}

/// A million postings and their counters.
final class Postings: @unchecked Sendable {
    private let rows = UnsafeMutablePointer<UInt16>.allocate(capacity: 1_000_000)
    private let counters = UnsafeMutablePointer<UInt8>.allocate(capacity: 65_536)
    private let table = ck_variant(0)?.pointee ?? ck_kernels().pointee

    init() {
        var state: UInt64 = 1
        for i in 0..<1_000_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            rows[i] = UInt16(truncatingIfNeeded: state >> 33)
        }
        counters.initialize(repeating: 0, count: 65_536)
    }

    func count() { table.count_rows(counters, rows, 1_000_000) }
}
