import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowRules
import WinnowStorage

extension FieldCondition: BindableCondition {
    var usesCurrentState: Bool { true }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        let schema = binder.snapshot.schema
        let isID = sameBytes(name, Schema.idName)
        let number = isID ? nil : schema.index(of: name)
        let known =
            isID ? Field(name: Schema.idName, type: .string) : number.map { schema.fields[$0] }
        guard let field = known else {
            let names = [Schema.idName] + schema.fields.map(\.name)
            let list = names.joined(separator: ", ")
            throw binder.invalid(
                at: .name,
                "the store has no field “\(name)”\(nearestHint(for: name, among: names)); its fields are \(list)"
            )
        }
        let test: FieldTest
        do throws(WinnowError) { test = try self.test(for: field, binder.time) } catch {
            throw error.inside(binder.place)
        }
        if let window = test.window { binder.report(window, at: .value) }
        let plan: Plan
        let key = SharedBindings.FieldKey(name: field.name, test: test.test)
        if let known = binder.shared.fields[key] {
            plan = known
        } else {
            if isID {
                plan = try idPlan(test.test, binder.snapshot)
            } else if schema.globalStatus == number {
                plan = try statusPlan(field, test.test, binder)
            } else {
                plan = try fieldPlan(field, test.test, binder.snapshot)
            }
            if binder.shared.areSeveral { binder.shared.fields[key] = plan }
        }
        return test.negated ? .not(plan) : plan
    }

    private func idPlan(_ test: FieldTest.Test, _ snapshot: StoreVersion) throws(WinnowError)
        -> Plan
    {
        guard case .text(let text) = test else { return .universe }
        if case .isOneOf(let ids) = text.comparison, !text.ignoresCase {
            let keys = try snapshot.fewKeys()
            var rows: Set<Row> = []
            for id in ids {
                if let code = try keys.code(of: id) { rows.insert(Row(rawValue: code)) }
            }
            return .condition(RowsCondition(rows.sorted()))
        }
        let keys = try snapshot.keys()
        var rows: [Row] = []
        for table in keys.tables {
            for i in 0..<table.count where unsafe text.passes(table.bytes(i)) {
                let row = Row(rawValue: table.first + UInt32(i))
                if snapshot.erased?.contains(row) != true { rows.append(row) }
            }
        }
        return .condition(RowsCondition(rows))
    }

    /// Everybody has a status: the usual one where none is stored.
    private func statusPlan(
        _ field: Field, _ test: FieldTest.Test, _ binder: Binder
    ) throws(WinnowError) -> Plan {
        guard case .text(let text) = test else { return .universe }
        func passes(_ status: [UInt8]) -> Bool {
            unsafe status.withUnsafeBytes { unsafe text.passes($0) }
        }
        if case .isOneOf(let asked) = text.comparison, self.operator.positive != .isEmpty {
            let known = Schema.statuses.filter { passes(Array($0.utf8)) }
            guard known.count == asked.count else {
                let list = Schema.statuses.joined(separator: ", ")
                throw binder.invalid(at: .value, "the values of “\(name)” are \(list)")
            }
        }
        let statuses = Schema.statuses.map { Array($0.utf8) }
        let isUsual = passes(Array(Schema.usualStatus.utf8))
        let stored = TextTest(
            comparison: .isOneOf(Set(statuses.filter { passes($0) != isUsual })),
            ignoresCase: false)
        let others = try fieldPlan(field, .text(stored), binder.snapshot)
        return isUsual ? .not(others) : others
    }

    private func fieldPlan(
        _ field: Field, _ test: FieldTest.Test, _ snapshot: StoreVersion
    ) throws(WinnowError) -> Plan {
        var parts: [ColumnCondition.PartTest] = []
        for part in try snapshot.profiles().reversed() {
            guard let index = part.field(field.name) else { continue }
            parts.append(.init(part: part, index: index, test: try columnTest(test, part, index)))
        }
        return parts.isEmpty ? .empty : .condition(ColumnCondition(parts))
    }

    /// The test in terms of a part's own dictionary: predicates run once per distinct value, not
    /// once per profile.
    private func columnTest(
        _ test: FieldTest.Test, _ part: ProfilePart, _ index: ProfilePart.FieldIndex
    ) throws(WinnowError) -> ColumnCondition.Test {
        switch (test, index.encoding) {
        case (.exists, _): return .present
        case (.numbers(let ranges), .numbers):
            return ranges.isEmpty ? .never : .ranges(merged(ranges))
        case (.daysOfYear(let days), .numbers): return .daysOfYear(days)
        case (.text(let text), .texts): return .texts(text)
        case (.text(let text), .codes):
            let dictionary = try part.dictionary(index)
            let codes = (0..<dictionary.count).filter { unsafe text.passes(dictionary[$0]) }
            return codes.isEmpty ? .never : .ranges(merged(codes.map { Int64($0)...Int64($0) }))
        case (.emptySet, .sets): return .emptySet
        case (.filledSet, .sets): return .filledSet
        case (.hasAny(let values), .sets):
            let codes = try codes(values, part.dictionary(index)).compactMap { $0 }
            return codes.isEmpty ? .never : .anyOf(codes)
        case (.hasAll(let values), .sets):
            let codes = try codes(values, part.dictionary(index))
            return codes.contains(nil) ? .never : .allOf(codes.compactMap { $0 })
        default:
            throw .damaged(
                file: part.file.path,
                what: "a field is stored in an encoding that its type does not have")
        }
    }

    /// The dictionary's code of each distinct value, nil where it has none.
    private func codes(_ values: [[UInt8]], _ dictionary: FieldDictionary) -> [Int?] {
        Set(values).map { value in
            let low = firstNotBelow(0..<dictionary.count) {
                unsafe dictionary[$0].lexicographicallyPrecedes(value)
            }
            return unsafe low < dictionary.count && dictionary[low].elementsEqual(value) ? low : nil
        }
    }

    /// Ascending, disjoint, and joined where they touch.
    private func merged(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var result: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last,
                last.upperBound == .max || range.lowerBound <= last.upperBound + 1
            {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }
}
