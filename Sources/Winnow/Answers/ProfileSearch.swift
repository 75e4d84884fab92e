import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage
import WinnowThreads

/// Where somebody is looked for.
public enum ProfileSearchPlace: String, Sendable, CaseIterable {
    /// Ids and fields of profiles.
    case profile
    /// Contacts of subscriptions.
    case subscriptions
}

extension Snapshot {
    /// The rows of the profiles that somebody may mean: by an id; else by `FIELD:VALUE`; else by an
    /// e-mail address or phone number of profiles, as feeds compare them; else by a contact of
    /// subscriptions. `VALUE*` finds texts that begin so.
    func search(
        _ what: String, in place: ProfileSearchPlace?, _ options: EvaluationOptions
    ) throws(WinnowError) -> RowSet {
        if place != .subscriptions {
            if let row = try snapshot.fewKeys().code(of: what) {
                return RowSet([Row(rawValue: row)])
            }
            if let rule = try fieldRule(what) { return try rows(of: rule, options) }
            let found = try rowsByAddress(what, options)
            if found.count > 0 || place == .profile { return found }
        }
        let contacts = try contacts(like: what)
        guard !contacts.isEmpty else { return RowSet([]) }
        return try rows(of: .subscription(.exists, contacts: contacts), options)
    }

    private func rows(
        of segment: Segment, _ options: EvaluationOptions
    ) throws(WinnowError) -> RowSet {
        let plan = try Binding(self, options, of: [segment]).bind(segment).plan
        return try evaluator(options, Cancellation()).rows(plan)
    }

    /// The rule that `FIELD:VALUE` stands for; nil for what names no field.
    private func fieldRule(_ what: String) throws(WinnowError) -> Segment? {
        guard let colon = what.firstIndex(of: ":") else { return nil }
        let name = String(what[..<colon])
        let field: Field
        if let index = schema.index(of: name) {
            field = schema.fields[index]
        } else if name == Schema.idName {
            field = Field(name: name, type: .string)
        } else {
            return nil
        }
        let value = what[what.index(after: colon)...]
        var json = JSONWriter()
        func condition(_ name: FieldOperator, _ literal: String) {
            json.object { json in
                json.member("field") { json in
                    json.object { json in
                        json.member("name", field.name)
                        json.member("operator", name.rawValue)
                        json.member("value") { $0.literal(literal) }
                    }
                }
            }
        }
        switch field.type {
        case .string where value.hasSuffix("*"):
            condition(.startsWith, jsonString(value.dropLast()))
        case .string: condition(.equals, jsonString(value))
        case .stringSet: condition(.hasAny, "[\(jsonString(value))]")
        case .integer, .date, .boolean:
            var text = String(value)
            let number = text.withUTF8 {
                unsafe field.number(UnsafeRawBufferPointer($0), .plain)
            }
            guard let number else {
                throw .usage(
                    "“\(value)” is no value of “\(field.name)”: expected \(field.expected)")
            }
            let literal = field.text(number)
            condition(.equals, field.type == .date ? jsonString(literal) : literal)
        case .decimal, .datetime:
            throw .usage(
                "“\(field.name)” is a \(field.type.rawValue); profiles are looked up by strings, "
                    + "whole numbers, dates, booleans and members of sets")
        }
        return try Segment(json: json.text)
    }

    /// Profiles by their e-mail address or phone number.
    private func rowsByAddress(
        _ what: String, _ options: EvaluationOptions
    ) throws(WinnowError) -> RowSet {
        let sought = SoughtAddress(what)
        var columns: [(column: FieldColumn, isPhone: Bool)] = []
        for (name, isPhone) in [("email", false), ("phone", true)] {
            if let index = schema.index(of: name), sought.isPossible(isPhone: isPhone) {
                let column = try FieldColumn(try snapshot.profiles(), schema.fields[index])
                columns.append((column, isPhone))
            }
        }
        guard !columns.isEmpty else { return RowSet([]) }
        let all = try evaluator(options, Cancellation()).rows(.universe)
        let blocks = all.blockIndices
        let sets = all.byBlock
        let wanted = columns
        let found = try concurrentMap(blocks.count) { (i) throws(WinnowError) -> [Row] in
            let rows = BlockSet.allocate()
            defer { rows.deallocate() }
            guard sets.copy(blocks[i], into: rows) else { return [] }
            var found: [Row] = []
            for (column, isPhone) in wanted {
                try column.forEachPart(in: blocks[i], of: rows) {
                    (values, own) throws(WinnowError) in
                    try unsafe values.forEachText(of: own) { row, text in
                        if unsafe sought.matches(text, isPhone: isPhone) {
                            found.append(Row(blocks[i], UInt16(truncatingIfNeeded: row)))
                        }
                    }
                }
            }
            return found
        }
        return RowSet(found.flatMap(\.self))
    }

    /// The contacts of subscriptions that are like an address.
    private func contacts(like what: String) throws(WinnowError) -> [String] {
        let contacts = try snapshot.strings(.contact)
        let sought = SoughtAddress(what)
        var found: [String] = []
        for code in 0..<UInt32(clamping: contacts.count) {
            guard let text = unsafe contacts.bytes(code) else { continue }
            let isSame = unsafe sought.isExactly(text)
            let isEmail = unsafe sought.matches(text, isPhone: false)
            let isPhone = unsafe sought.matches(text, isPhone: true)
            if isSame || isEmail || isPhone {
                found.append(unsafe String(decoding: text, as: UTF8.self))
            }
        }
        return found
    }
}

/// An address as it is compared.
private struct SoughtAddress: Sendable {
    private let text: [UInt8]
    private let email: [UInt8]
    /// Empty for what is no phone number.
    private let phone: [UInt8]
    /// Whether only the beginning is given.
    private let isBeginning: Bool

    init(_ what: String) {
        isBeginning = what.hasSuffix("*")
        text = Array((isBeginning ? String(what.dropLast()) : what).utf8)
        email = ContactForms.email(text)
        let isPhone = text.allSatisfy { byte in
            (0x30...0x39).contains(byte) || "+-() .".utf8.contains(byte)
        }
        phone = isPhone ? ContactForms.phone(text) : []
    }

    func isPossible(isPhone: Bool) -> Bool { isPhone ? !phone.isEmpty : !email.isEmpty }

    /// Whether a text is the very same.
    func isExactly(_ other: UnsafeRawBufferPointer) -> Bool {
        unsafe !isBeginning && !text.isEmpty && other.holds(text)
    }

    /// Whether a text is the same address, or begins like it: see `ContactForms`, whose forms are
    /// compared without making them.
    func matches(_ other: UnsafeRawBufferPointer, isPhone: Bool) -> Bool {
        let sought = isPhone ? phone : email
        guard !sought.isEmpty, other.count >= sought.count else { return false }
        var met = 0
        for i in 0..<other.count {
            let byte = unsafe other[i]
            if isPhone ? !isDigit(byte) : met == 0 && isBlank(byte) { continue }
            guard met < sought.count else {
                if isBeginning { return true }
                if isPhone || !isBlank(byte) { return false }
                continue
            }
            guard asciiLowercased(byte) == sought[met] else { return false }
            met += 1
        }
        return met == sought.count
    }
}
