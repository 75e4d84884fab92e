// The names are those of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Winnow
import WinnowCHeader
import WinnowCommands
import WinnowDisk
import WinnowRules

// The functions of winnow.h, in its order. It says what each means.

@c @implementation
package func winnow_version() -> UnsafePointer<CChar>! {
    unsafe UnsafeRawPointer(programVersion.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
package func winnow_last_error() -> UnsafePointer<CChar>! { unsafe door_error() }

@c @implementation
package func winnow_free(_ memory: UnsafeMutableRawPointer!) { unsafe door_free(memory) }

@c @implementation
package func winnow_last_notes() -> UnsafePointer<CChar>! { unsafe door_notes() }

// MARK: Stores

@c @implementation
package func winnow_open(
    _ path: UnsafePointer<CChar>!, _ store: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let store = try unsafe Place(store, "store")
        try store.put(Store(absolutePath(unsafe text(path, "path"))))
    }
}

@c @implementation
package func winnow_create(
    _ path: UnsafePointer<CChar>!, _ schema: UnsafePointer<CChar>!,
    _ store: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let store = try unsafe Place(store, "store")
        let schema = try unsafe optionalText(schema, "schema").map { (json) throws(WinnowError) in
            try Schema(json: json)
        }
        try store.put(
            Store.create(
                absolutePath(unsafe text(path, "path")), schema: schema ?? Schema()))
    }
}

@c @implementation
package func winnow_close(_ store: OpaquePointer!) -> CInt {
    answering { () throws(WinnowError) in try unsafe Handles.all.end(store, Store.self) }
}

@c @implementation
package func winnow_snapshot(
    _ store: OpaquePointer!, _ snapshot: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let place = try unsafe Place(snapshot, "snapshot")
        try unsafe place.put(SnapshotHandle(Handles.all.value(store, Store.self)))
    }
}

@c @implementation
package func winnow_release(_ snapshot: OpaquePointer!) -> CInt {
    answering { () throws(WinnowError) in try unsafe Handles.all.end(snapshot, SnapshotHandle.self)
    }
}

// MARK: Segments

@c @implementation
package func winnow_prepare(
    _ snapshot: OpaquePointer!, _ rule: UnsafePointer<CChar>!, _ options: UnsafePointer<CChar>!,
    _ prepared: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let place = try unsafe Place(prepared, "prepared")
        let snapshot = try unsafe Handles.all.value(snapshot, SnapshotHandle.self)
        let rule = try WrittenRule(unsafe text(rule, "rule"))
        let options = try EvaluationOptions(json: unsafe optionalText(options, "options"))
        try place.put(PreparedHandle(snapshot, rule, options))
    }
}

@c @implementation
package func winnow_finish(_ prepared: OpaquePointer!) -> CInt {
    answering { () throws(WinnowError) in try unsafe Handles.all.end(prepared, PreparedHandle.self)
    }
}

@c @implementation
package func winnow_count(_ prepared: OpaquePointer!, _ count: UnsafeMutablePointer<UInt64>!)
    -> CInt
{
    answering { () throws(WinnowError) in
        let found = try unsafe Handles.all.value(prepared, PreparedHandle.self).prepared().count()
            .count
        try unsafe put(UInt64(clamping: found), count, "count")
    }
}

@c @implementation
package func winnow_count_many(
    _ snapshot: OpaquePointer!, _ rules: UnsafePointer<UnsafePointer<CChar>?>!, _ rule_count: Int,
    _ options: UnsafePointer<CChar>!, _ results: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe results != nil else { throw missing("results") }
        let snapshot = try unsafe Handles.all.value(snapshot, SnapshotHandle.self).snapshot()
        guard unsafe rules != nil else { throw missing("rules") }
        guard rule_count >= 0 else { throw .usage("rule_count is over \(Int.max)") }
        var texts: [String] = []
        for i in 0..<rule_count { texts.append(try unsafe text(rules[i], "rules[\(i)]")) }
        let options = try EvaluationOptions(json: unsafe optionalText(options, "options"))
        let counts = try CommandCall.counts(of: texts, in: snapshot, options)
        try unsafe put("[" + counts.joined(separator: ", ") + "]", results)
    }
}

@c @implementation
package func winnow_ids(
    _ prepared: OpaquePointer!, _ count: UnsafeMutablePointer<Int>!,
    _ offsets: UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>!,
    _ text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe count != nil else { throw missing("count") }
        guard unsafe offsets != nil else { throw missing("offsets") }
        guard unsafe text != nil else { throw missing("text") }
        let ids = try unsafe Handles.all.value(prepared, PreparedHandle.self).prepared().ids()
        let ends = try unsafe allocate(Int64.self, ids.count + 1)
        let bytes = unsafe ids.fillOffsets(
            UnsafeMutableBufferPointer(start: ends, count: ids.count + 1))
        let all: UnsafeMutablePointer<CChar>
        do throws(WinnowError) { unsafe all = try allocate(CChar.self, max(bytes, 1)) } catch {
            unsafe door_free(ends)
            throw error
        }
        unsafe ids.fillText(
            UnsafeMutableRawBufferPointer(start: all, count: bytes),
            UnsafeBufferPointer(start: ends, count: ids.count + 1))
        unsafe count.pointee = ids.count
        unsafe offsets.pointee = ends
        unsafe text.pointee = all
    }
}

@c @implementation
package func winnow_rows(
    _ prepared: OpaquePointer!, _ count: UnsafeMutablePointer<Int>!,
    _ rows: UnsafeMutablePointer<UnsafeMutablePointer<UInt32>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe count != nil else { throw missing("count") }
        guard unsafe rows != nil else { throw missing("rows") }
        let found = try unsafe Handles.all.value(prepared, PreparedHandle.self).prepared()
            .rowNumbers()
        unsafe rows.pointee = try unsafe copied(found)
        unsafe count.pointee = found.count
    }
}

@c @implementation
package func winnow_bitmap(
    _ prepared: OpaquePointer!, _ size: UnsafeMutablePointer<Int>!,
    _ bytes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe size != nil else { throw missing("size") }
        guard unsafe bytes != nil else { throw missing("bytes") }
        let found = try unsafe Handles.all.value(prepared, PreparedHandle.self).prepared().bitmap()
        unsafe bytes.pointee = try unsafe copied(found)
        unsafe size.pointee = found.count
    }
}

@c @implementation
package func winnow_export_arrow(
    _ prepared: OpaquePointer!, _ options: UnsafePointer<CChar>!,
    _ stream: UnsafeMutablePointer<ArrowArrayStream>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe stream != nil else { throw missing("stream") }
        let prepared = try unsafe Handles.all.value(prepared, PreparedHandle.self).prepared()
        let options = try TableOptions(json: unsafe optionalText(options, "options"))
        unsafe ArrowExport.put(
            try prepared.table(fields: options.fields, limit: options.limit), into: stream)
    }
}

// MARK: Loading, and every other command

@c @implementation
package func winnow_load(
    _ store: OpaquePointer!, _ kind: UnsafePointer<CChar>!, _ data: UnsafePointer<CChar>!,
    _ size: Int,
    _ options: UnsafePointer<CChar>!, _ summary: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let store = try unsafe Handles.all.value(store, Store.self)
        let kind = try unsafe text(kind, "kind")
        var input: CallerBytes?
        if unsafe data != nil {
            guard size >= 0 else { throw .usage("size is over \(Int.max)") }
            input = unsafe CallerBytes(UnsafeRawBufferPointer(start: data, count: size))
        }
        let call = CommandCall(of: store, input: input.map { .text(nil, $0.next) })
        defer { keepNotes(of: call) }
        let answers = try call.load(kind, try unsafe optionalText(options, "options") ?? "{}")
        if unsafe summary != nil { try unsafe put(answers, summary) }
    }
}

@c @implementation
package func winnow_load_arrow(
    _ store: OpaquePointer!, _ kind: UnsafePointer<CChar>!,
    _ stream: UnsafeMutablePointer<ArrowArrayStream>!,
    _ options: UnsafePointer<CChar>!, _ summary: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        guard unsafe stream != nil else { throw missing("stream") }
        // Whatever happens, the stream is used up.
        let stream = unsafe ArrowStream(taking: stream)
        let store = try unsafe Handles.all.value(store, Store.self)
        let kind = try unsafe text(kind, "kind")
        let options = try unsafe optionalText(options, "options")
        let call = CommandCall(of: store, input: .table(try stream.table()))
        defer { keepNotes(of: call) }
        let answers = try call.load(kind, options ?? "{}")
        if unsafe summary != nil { try unsafe put(answers, summary) }
    }
}

@c @implementation
package func winnow_call(
    _ target: UnsafeRawPointer!, _ command: UnsafePointer<CChar>!,
    _ arguments: UnsafePointer<CChar>!,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> CInt {
    answering { () throws(WinnowError) in
        let call: CommandCall
        if let target = unsafe target {
            switch unsafe Handles.all.any(OpaquePointer(target)) {
            case let store as Store: call = CommandCall(of: store)
            case let snapshot as SnapshotHandle:
                call = CommandCall(of: snapshot.store, try snapshot.snapshot())
            default: throw .usage("the target is neither a store nor a snapshot, or has ended")
            }
        } else {
            call = CommandCall()
        }
        defer { keepNotes(of: call) }
        let answers = try call.run(
            unsafe text(command, "command"), unsafe optionalText(arguments, "arguments") ?? "{}")
        if unsafe result != nil { try unsafe put(answers, result) }
        if call.foundDamage {
            throw .damaged(file: "the store", what: "the answer lists what is wrong with it")
        }
    }
}
