import WinnowFormat
import WinnowModel
import WinnowThreads

extension ActivityPart {
    /// Checks that no profile has two records of one channel, resource and contact.
    package func verifyIdentities(_ findings: Findings) throws(WinnowError) {
        guard let index = types[.subscription] else { return }
        let table = try leaves(of: index)
        let blocks = try blocks(of: .subscription)
        _ = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            try findings.cancellation.check()
            var records: [EventRecord] = []
            try append(.subscription, block: blocks[i].block, to: &records)
            var seen: Set<[UInt64]> = []
            let areDistinct = records.allSatisfy { record in
                let key = table.key(record.leaf)
                return seen.insert([
                    UInt64(record.row.inBlock) << 32 | UInt64(key.variant >> 8),
                    UInt64(key.resource.rawValue) << 32 | UInt64(record.link.rawValue),
                ]).inserted
            }
            findings.expect(
                areDistinct, file.path,
                "block \(blocks[i].block.number): a record of a subscription is there twice")
        }
    }
}
