import Foundation

extension Oracle {
    func rows(sample rule: OracleJSON) throws -> [Bool] {
        try rule.allowOnly(["from", "to", "salt"])
        let from = try rule.required("from").decimal()
        let to = try rule.required("to").decimal()
        let salt = try rule["salt"]?.bytes() ?? []
        return try ids.map { id in
            // A hundredth of a percent is one bucket, so the bucket's number with the point moved
            // is its share.
            let share = try OracleDecimal("\(Self.bucket(id: Array(id.utf8), salt: salt))e-2")
            return from <= share && share < to
        }
    }

    static func bucket(id: [UInt8], salt: [UInt8]) -> UInt64 {
        let hash = xxh64(id)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
        return xxh64(bytes + salt) % 10_000
    }

    /// XXH64 with seed 0, as its specification describes it.
    static func xxh64(_ input: [UInt8]) -> UInt64 {
        let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
        let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
        let prime3: UInt64 = 0x1656_67B1_9E37_79F9
        let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
        let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

        func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
            value << bits | value >> (64 - bits)
        }
        func lane(_ start: Int, _ width: Int) -> UInt64 {
            input[start..<start + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        func round(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
            rotate(accumulator &+ lane &* prime2, 31) &* prime1
        }

        var position = 0
        var hash = prime5
        if input.count >= 32 {
            var accumulators = [prime1 &+ prime2, prime2, 0, 0 &- prime1]
            while position + 32 <= input.count {
                for index in 0..<4 {
                    accumulators[index] = round(accumulators[index], lane(position + index * 8, 8))
                }
                position += 32
            }
            hash = zip(accumulators, [1, 7, 12, 18]).reduce(0) { $0 &+ rotate($1.0, $1.1) }
            for accumulator in accumulators {
                hash = (hash ^ round(0, accumulator)) &* prime1 &+ prime4
            }
        }
        hash &+= UInt64(input.count)
        while position + 8 <= input.count {
            hash = rotate(hash ^ round(0, lane(position, 8)), 27) &* prime1 &+ prime4
            position += 8
        }
        if position + 4 <= input.count {
            hash = rotate(hash ^ lane(position, 4) &* prime1, 23) &* prime2 &+ prime3
            position += 4
        }
        for byte in input[position...] {
            hash = rotate(hash ^ UInt64(byte) &* prime5, 11) &* prime1
        }
        hash = (hash ^ hash >> 33) &* prime2
        hash = (hash ^ hash >> 29) &* prime3
        return hash ^ hash >> 32
    }
}
