import Foundation
import Testing
import Winnow

@Suite("Inferred schemas")
struct InferenceTests {
    private func infer(
        _ text: String, as format: InputFormat = .csv,
        _ change: (inout LoadOptions) -> Void = { _ in }
    ) throws -> InferredSchema {
        var options = LoadOptions()
        change(&options)
        return try Schema.inferred(from: .bytes(text.utf8, as: format), options: options)
    }

    /// The type of a column of CSV with these cells, and its scale.
    private func type(_ cells: String...) throws -> Field? {
        let text = "id,x\n" + cells.map { "1,\($0)\n" }.joined()
        return try infer(text).columns.last?.field
    }

    private func field(_ type: FieldType, scale: Int? = nil) -> Field {
        Field(name: "x", type: type, scale: scale)
    }

    @Test("a column of CSV has the narrowest type that holds every value")
    func types() throws {
        #expect(try type("1", "-20", "0", "") == field(.integer))
        #expect(try type("999999999999999999") == field(.integer))
        #expect(try type("1", "2.50", "-0.5") == field(.decimal, scale: 2))
        #expect(try type("0.123456789") == field(.decimal, scale: 9))
        #expect(try type("true", "false") == field(.boolean))
        #expect(try type("2024-02-29") == field(.date))
        #expect(
            try type(
                "2024-02-29T10:00:00Z", "2024-02-29 10:00:00", "2024-02-29 10:00:00.5 +0300 MSK")
                == field(.datetime))
        for cells in [
            ["01"], ["-01"], ["00.5"], ["1234567890123456789"], ["1.1234567890"], ["+1"], ["1."],
            [".5"], ["1e3"], ["TRUE"], ["1", "x"], ["true", "1"], ["2024-02-30"],
            ["2024-02-29", "2024-02-29T10:00:00Z"], [""], ["\"\""], ["a|b"],
        ] {
            let text = "id,x\n" + cells.map { "1,\($0)\n" }.joined()
            #expect(try infer(text).columns.last?.field == field(.string), "\(cells)")
        }
    }

    @Test("values of JSON have types of their own")
    func json() throws {
        let inferred = try infer(
            #"""
            {"id": "a", "n": 1, "d": 1.5, "e": 1e2, "b": true, "day": "2024-01-01", "five": "5"}

            {"id": "b", "n": null, "tags": ["x", "y"], "o": {"x": 1}, "mixed": 1, "pairs": [[1]]}
            {"id": "c", "tags": [], "mixed": "x", "late": false}
            """#, as: .ndjson)
        var types: [String: FieldType] = [:]
        for column in inferred.columns { types[column.name] = column.field?.type }
        #expect(
            types == [
                "n": .integer, "d": .decimal, "e": .decimal, "b": .boolean, "day": .date,
                "five": .string, "tags": .stringSet, "mixed": .string, "late": .boolean,
            ])
        func column(_ name: String) -> InferredSchema.Column? {
            inferred.columns.first { $0.name == name }
        }
        #expect(column("o")?.leftOut == .nested && column("pairs")?.leftOut == .nested)
        #expect(column("id")?.leftOut == .builtIn)
        #expect(column("n")?.values == 1 && column("n")?.empty == 2)
        #expect(column("late")?.values == 1 && column("late")?.empty == 2)
        #expect(column("tags")?.example == "x|y" && column("tags")?.distinct == 1)
    }

    @Test("built-in columns and names that no field can have are left out, and said")
    func leftOut() throws {
        let inferred = try infer("id,email,phone,global_status,,zip\n1,a,b,c,d,e\n")
        #expect(inferred.schema.ownFields.map(\.name) == ["zip"])
        #expect(
            inferred.columns.map(\.leftOut)
                == [.builtIn, .builtIn, .builtIn, .builtIn, .badName, nil])
    }

    @Test("the file that a schema was inferred from loads into it")
    func loads() throws {
        let text = "id;price;when;zip;note\na;1.50;2024-01-01 10:00:00;01234;\nb;;;;\"x\ny\"\n"
        let inferred = try infer(text) { $0.delimiter = ";" }
        let fixture = try Fixture()
        let store = try Store.create(fixture.storePath, schema: inferred.schema)
        var options = LoadOptions()
        options.delimiter = ";"
        #expect(
            try store.load(.profiles, from: .bytes(text.utf8, as: .csv), options: options).new == 2)
        let rule = try Segment(#"price = 1.5 and zip = "01234" and when = 2024-01-01T10:00:00Z"#)
        #expect(try store.snapshot().count(rule).count == 1)
    }

    @Test("text that cannot be read has its place")
    func errors() throws {
        func failure(_ text: String, _ format: InputFormat) -> WinnowError? {
            #expect(throws: WinnowError.self) { try infer(text, as: format) }
        }
        #expect(failure("id,x\n1,2\n1\n", .csv)?.code == .wrongWidth)
        #expect(
            failure("id,x\n1,2\n1\n", .csv)?.description
                == "memory, line 3: the row has 1 cells, the header 2")
        #expect(failure("id,id\n", .csv)?.code == .repeatedColumn)
        #expect(
            failure("{\"id\": \"a\"}\n\n[\n", .ndjson)?.description.hasPrefix("memory, line 3: ")
                == true)
        #expect(failure("[{}]", .ndjson)?.code == .jsonArray)
    }

    @Test("on the command line a schema is printed, what was seen is said, and a store is made")
    func command() throws {
        let fixture = try Fixture()
        let file = try fixture.file("p.csv", "id,zip,age\na,01234,30\n")
        let inferred = try Binary.run("infer", file)
        #expect(inferred.status == 0)
        let schema = try fixture.file("schema.json", inferred.output)
        #expect(try Binary.run("create", fixture.storePath, "--schema", schema).status == 0)
        #expect(
            inferred.error.split(separator: "\n") == [
                #"id: left out (built in); 1 values, 1 distinct, 0 empty, such as "a""#,
                #"zip: string; 1 values, 1 distinct, 0 empty, such as "01234""#,
                #"age: integer; 1 values, 1 distinct, 0 empty, such as "30""#,
            ])
        let other = fixture.storePath + "-2"
        #expect(try Binary.run("create", other, "--infer", file).status == 0)
        #expect(try Binary.run("schema", other).output == inferred.output)
        #expect(try Binary.run("create", other, "--infer", file, "--schema", schema).status == 64)
    }

    @Test("decimals whose digits do not all fit are strings; one column of several is refused")
    func limits() throws {
        let rows = "id,a\n1,10.01\n2,99999999999999999.9\n"
        let inferred = try Schema.inferred(from: .bytes(rows.utf8, as: .csv))
        #expect(inferred.schema.fields.first { $0.name == "a" }?.type == .string)
        let error = #expect(throws: WinnowError.self) {
            try Schema.inferred(from: .bytes("id;city\n1;Rome\n".utf8, as: .csv))
        }
        #expect(error?.code == .otherDelimiter)
    }
}
