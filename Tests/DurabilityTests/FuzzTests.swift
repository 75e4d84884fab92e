import Foundation
import WinnowSimulation
import Synchronization
import Testing
import Winnow

/// A short run of what `tools/fuzz` does for as long as it is let.
@Suite("Fuzzing")
struct FuzzTests {
    /// Pieces that inputs are made of, besides those of other inputs.
    private static let pieces =
        [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\r\n", "\u{0}", "null", "true", "-",
            "1e999", "\\ud800",
            "\\u0000",
            "0.00000000001", "99999999999999999999", "\u{FEFF}", "||", "2025-02-30", "é",
            "\u{10FFFF}", "    ",
        ].map { Array($0.utf8) } + [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90]]

    private static func mutated(_ seeds: [[UInt8]], _ dice: inout Dice) -> [UInt8] {
        var bytes = seeds[dice.below(seeds.count)]
        for _ in 0...dice.below(4) {
            let at = dice.below(bytes.count + 1)
            let length = dice.below(min(16, bytes.count - at) + 1)
            switch dice.below(6) {
            case 0: bytes.removeSubrange(at..<at + length)
            case 1: bytes.insert(contentsOf: pieces[dice.below(pieces.count)], at: at)
            case 2: bytes.insert(contentsOf: bytes[at..<at + length], at: dice.below(bytes.count))
            case 3: if at < bytes.count { bytes[at] = UInt8(truncatingIfNeeded: dice.next()) }
            case 4: bytes.removeSubrange(at...)
            default:
                let other = seeds[dice.below(seeds.count)]
                bytes.append(contentsOf: other.suffix(dice.below(other.count + 1)))
            }
        }
        return bytes
    }

    @Test(
        "rules, CSV, NDJSON, schemas and parts of any content come to an end",
        arguments: Fuzzing.allCases)
    func smoke(_ target: Fuzzing) throws {
        for seed in target.seeds where target != .part {
            #expect(
                try target.run(seed) || target == .csv || target == .ndjson,
                "\(String(decoding: seed, as: UTF8.self))")
        }
        let count = [.rule, .text, .schema].contains(target) ? 20_000 : 1500
        let understood = Atomic(0)
        let seeds = target.seeds
        for i in 0..<count {
            var dice = Dice(UInt64(i) ^ 0xF022)
            let bytes = FuzzTests.mutated(seeds, &dice)
            do { if try target.run(bytes) { understood.wrappingAdd(1, ordering: .relaxed) } } catch
            {
                Issue.record("\(target), \(i): \(error): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
        // Else the mutations would only ever scratch the surface.
        if target != .csv, target != .ndjson {
            #expect(understood.load(ordering: .relaxed) > count / 100)
        }
    }
}
