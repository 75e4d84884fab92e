import WinnowBitmaps
import WinnowFormat
import WinnowModel
import WinnowThreads

extension ProfilePart {
    /// Checks every field of the part: that nothing is left of profiles that are `purged`, that the
    /// schema has it in this encoding, that dictionaries ascend, and that each block, read and encoded
    /// anew, gives the same bytes.
    package func verify(_ schema: Schema, rows: Int, purged: ErasedRows?, _ findings: Findings) {
        for name in fieldNames {
            guard let number = schema.index(of: name), let index = field(name) else {
                findings.add(file.path, "a field “\(name)” that the schema does not have")
                continue
            }
            findings.check(file.path) { () throws(WinnowError) in
                try verify(schema.fields[number], index, rows, purged, findings)
            }
        }
    }

    private func verify(
        _ field: Field, _ index: FieldIndex, _ rows: Int, _ purged: ErasedRows?,
        _ findings: Findings
    ) throws(WinnowError) {
        guard Encoding.possible(for: field.type).contains(index.encoding) else {
            return findings.add(
                file.path,
                "field “\(field.name)” is stored in an encoding that its type does not have")
        }
        var dictionary: FieldDictionary?
        if index.encoding == .codes || index.encoding == .sets {
            let strings = try self.dictionary(index)
            dictionary = strings
            for i in 0..<strings.count {
                let ascends = unsafe i == 0 || strings[i - 1].lexicographicallyPrecedes(strings[i])
                unsafe findings.expect(
                    ascends && String(validating: strings[i], as: UTF8.self) != nil, file.path,
                    "field “\(field.name)”: its dictionary is out of order")
            }
        }
        let blocks = try blocks(index)
        findings.expect(
            zip(blocks, blocks.dropFirst()).allSatisfy { $0 < $1 }, file.path,
            "field “\(field.name)”: blocks are out of order")
        let count = dictionary?.count
        _ = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            findings.check(file.path) { () throws(WinnowError) in
                guard let block = try block(index, blocks[i]) else { return }
                findings.expect(
                    try isSound(block, blocks[i], codes: count, rows: rows, purged: purged),
                    file.path,
                    "field “\(field.name)”, block \(blocks[i].number): what is stored makes no sense"
                )
            }
        }
    }

    private func isSound(
        _ block: FieldBlock, _ number: BlockIndex, codes: Int?, rows: Int, purged: ErasedRows?
    ) throws(WinnowError) -> Bool {
        let touched = block.touched.allRows
        let members = block.members.allRows
        guard isAscending(touched), isAscending(members), Set(members).isSubset(of: touched),
            touched.allSatisfy({
                Int(Row(number, $0).rawValue) < rows && purged?.contains(Row(number, $0)) != true
            })
        else { return false }
        switch block.column {
        case .sliced(let sliced):
            let values = unsafe sliced.values(rows: members)
            if let codes, !values.allSatisfy({ (0..<Int64(codes)).contains($0) }) { return false }
            var again = ByteWriter()
            SlicedBlock.append(rows: members, values: values, to: &again)
            return unsafe sliced.bytes.elementsEqual(again.bytes)
        case .texts(let texts):
            var valid = true
            try unsafe texts.forEach { _, text in
                valid = unsafe valid && String(validating: text, as: UTF8.self) != nil
            }
            return valid
        case .sets(let sets):
            var last = -1
            for i in 0..<sets.values {
                let (code, having) = try sets.value(i)
                let rows = having.allRows
                guard code > last, code < codes ?? 0, isAscending(rows),
                    Set(rows).isSubset(of: members)
                else {
                    return false
                }
                last = code
            }
            return true
        }
    }

    private func isAscending(_ rows: [UInt16]) -> Bool {
        zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
    }
}
