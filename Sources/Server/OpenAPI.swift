#if Server
    import HTTPTypes
    import Winnow
    import WinnowCommands
    import WinnowJSON

    /// The OpenAPI document of some endpoints: what each takes is read off the same tables as the help of
    /// the command line.
    struct OpenAPI {
        let json: String

        init(_ endpoints: [Endpoint]) {
            var writer = JSONWriter()
            writer.object { document in
                document.member("openapi", "3.1.0")
                document.member("info") {
                    $0.object {
                        $0.member("title", "Winnow")
                        $0.member("version", "\(programVersion)")
                        $0.member("description", OpenAPI.about)
                    }
                }
                document.member("security") { $0.literal("[{\"token\": []}]") }
                document.member("paths") { paths in
                    paths.object { paths in
                        for path in OpenAPI.paths(endpoints) {
                            paths.member(path) { item in
                                item.object { item in
                                    for endpoint in endpoints where endpoint.template == path {
                                        item.member(endpoint.method.rawValue.lowercased()) {
                                            OpenAPI.write(endpoint, to: &$0)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                document.member("components") { $0.literal(OpenAPI.components) }
            }
            json = writer.text + "\n"
        }

        private static let about = """
            Segments of one store, over HTTP. Keys are the options of the command line with _ for -, \
            answers and errors are its JSON. Where there are several values they come a line each; with \
            Accept: application/json they are one array. What a rule can say: winnow rule --help.
            """

        /// In the order in which they come first.
        private static func paths(_ endpoints: [Endpoint]) -> [String] {
            var paths: [String] = []
            for endpoint in endpoints where !paths.contains(endpoint.template) {
                paths.append(endpoint.template)
            }
            return paths
        }

        private static func write(_ endpoint: Endpoint, to json: inout JSONWriter) {
            json.object { operation in
                operation.member("summary", endpoint.about)
                operation.member("operationId", name(endpoint))
                if endpoint.isOpen { operation.member("security") { $0.literal("[]") } }
                guard case .command(let work) = endpoint.work else {
                    operation.member("responses") { $0.literal(simpleResponses(endpoint)) }
                    return
                }
                operation.member("parameters") { $0.literal(parameters(work)) }
                switch work.source {
                case .query: break
                case .body:
                    operation.member("requestBody") { body in
                        body.object {
                            $0.member("required", true)
                            $0.member("content") { content in
                                content.object {
                                    $0.member("application/json") { type in
                                        type.object {
                                            $0.member("schema") { $0.literal(schema(work)) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                case .data: operation.member("requestBody") { $0.literal(data) }
                }
                operation.member("responses") { $0.literal(responses(work)) }
            }
        }

        /// `POST /v1/count` is count, `GET /v1/segments/{name}` get_segments_name.
        private static func name(_ endpoint: Endpoint) -> String {
            let words = endpoint.path.filter { $0 != "v1" }.map { part in
                String(part.map { $0.isLetter ? $0 : "_" }).split(separator: "_").joined()
            }.filter { !$0.isEmpty }
            let name = words.isEmpty ? "page" : words.joined(separator: "_")
            return endpoint.method == .post
                ? name : "\(endpoint.method.rawValue.lowercased())_\(name)"
        }

        // MARK: What is taken

        private static func parameters(_ work: CommandWork) -> String {
            var json = JSONWriter()
            var all: [(parameter: Parameter, place: String)] = []
            if let place = work.place,
                let parameter = work.table.parameters.first(where: { $0.key == place })
            {
                all.append((parameter, "path"))
            }
            if work.source != .body { all += work.parameters.map { ($0, "query") } }
            json.array(all) { json, entry in
                json.object {
                    $0.member("name", entry.parameter.key)
                    $0.member("in", entry.place)
                    $0.member("required", entry.place == "path")
                    $0.member("description", entry.parameter.help)
                    $0.member("schema") { $0.literal(schema(of: entry.parameter, inQuery: true)) }
                }
            }
            return json.text
        }

        /// The object that a body is.
        private static func schema(_ work: CommandWork) -> String {
            var json = JSONWriter()
            json.object { schema in
                schema.member("type", "object")
                schema.member("additionalProperties", false)
                schema.member("properties") { properties in
                    properties.object { properties in
                        switch work.rules {
                        case .none: break
                        case .one:
                            properties.member("rule") {
                                $0.literal("{\"$ref\": \"#/components/schemas/Rule\"}")
                            }
                            properties.member("text") {
                                $0.literal("{\"$ref\": \"#/components/schemas/Text\"}")
                            }
                        case .many:
                            properties.member("rules") {
                                $0.literal("{\"$ref\": \"#/components/schemas/Rules\"}")
                            }
                        }
                        for parameter in work.parameters {
                            properties.member(parameter.key) {
                                $0.literal(OpenAPI.schema(of: parameter, inQuery: false))
                            }
                        }
                    }
                }
                let needed = work.parameters.filter { $0.kind == .positional && !$0.isOptional }
                    .map(\.key)
                var required = Set(work.needs + needed)
                if work.rules == .many { required.insert("rules") }
                if !required.isEmpty {
                    schema.member("required") { $0.array(required.sorted()) { $0.value($1) } }
                }
                if work.rules == .one {
                    let takesIDs = work.parameters.contains { $0.inlineForm == .ids }
                    let ways = ["rule", "text"] + (takesIDs ? ["profiles"] : [])
                    schema.member("oneOf") {
                        $0.array(ways) { $0.literal("{\"required\": [\"\($1)\"]}") }
                    }
                }
            }
            return json.text
        }

        private static func schema(of parameter: Parameter, inQuery: Bool) -> String {
            var json = JSONWriter()
            json.object { schema in
                if parameter.inlineForm == .ids {
                    schema.member("type", "array")
                    schema.member("items") {
                        $0.literal("{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 255}")
                    }
                } else if parameter.isRepeating {
                    schema.member("type", "array")
                    schema.member("items") { $0.object { write(parameter, [], to: &$0) } }
                } else {
                    // What is null is not said.
                    write(parameter, inQuery || !parameter.isOptional ? [] : ["null"], to: &schema)
                }
                if !inQuery { schema.member("description", parameter.help) }
            }
            return json.text
        }

        /// - Parameter types: those that it can have beside its own.
        private static func write(
            _ parameter: Parameter, _ types: [String], to schema: inout JSONWriter
        ) {
            var own = ["string"]
            if parameter.kind == .flag { own = ["boolean"] }
            if parameter.isNumber { own = ["integer"] }
            if parameter.isList { own.append("array") }
            if parameter.inlineForm == .mapping { own.append("object") }
            schema.member("type") { $0.array(own + types) { $0.value($1) } }
            if parameter.isNumber {
                schema.member("minimum", parameter.key == "limit" ? 0 : 1)
                schema.member("maximum", Parameter.greatestNumber)
            }
            if parameter.isInstant { schema.member("format", "date-time") }
            if parameter.isList {
                schema.member("items") { $0.literal("{\"type\": [\"string\", \"number\"]}") }
            }
            if !parameter.choices.isEmpty {
                let choices = parameter.choices.map(Optional.some) + types.map { _ in nil }
                schema.member("enum") { $0.array(choices) { $0.value($1) } }
            }
        }

        private static let data = """
            {"required": true, "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/json": {"schema": {}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            "application/zstd": {"schema": {"type": "string", "format": "binary"}}}}
            """

        // MARK: What is answered

        private static func simpleResponses(_ endpoint: Endpoint) -> String {
            let type =
                switch endpoint.work {
                case .file(let file): file.mediaType
                case .metrics: "text/plain"
                case .health, .openAPI, .command: "application/json"
                }
            let media = type.prefix { $0 != ";" }
            let schema =
                media == "application/json" ? "{\"type\": \"object\"}" : "{\"type\": \"string\"}"
            let isOpen = endpoint.isOpen
            return
                "{\"200\": {\"description\": \"It.\", \"content\": {\"\(media)\": {\"schema\": \(schema)}}}, "
                + errors(isOpen ? [403, 405] : [401, 403, 405, 500]) + "}"
        }

        private static func responses(_ work: CommandWork) -> String {
            let value = "\"application/json\": {\"schema\": {}}"
            let lines = "\"application/x-ndjson\": {\"schema\": {\"type\": \"string\"}}"
            let good =
                switch work.answer {
                case .nothing: "\"204\": {\"description\": \"Done.\"}"
                case .value where work.linesWith == nil: content(value)
                case .value, .lines: content(value + ", " + lines)
                case .export:
                    content(
                        lines + ", \"text/plain\": {\"schema\": {\"type\": \"string\"}}, "
                            + "\"text/csv\": {\"schema\": {\"type\": \"string\"}}, "
                            + "\"application/octet-stream\": "
                            + "{\"schema\": {\"type\": \"string\", \"format\": \"binary\"}}")
                }
            var codes = [400, 401, 403, 404, 405, 422, 429, 499, 500, 503]
            if work.source != .query { codes += [408, 413, 415] }
            if work.writes { codes.append(409) }
            return "{\(good), \(errors(codes.sorted()))}"
        }

        private static func content(_ types: String) -> String {
            "\"200\": {\"description\": \"The answer.\", \"content\": {\(types)}}"
        }

        private static func errors(_ codes: [Int]) -> String {
            codes.map { "\"\($0)\": {\"$ref\": \"#/components/responses/Error\"}" }.joined(
                separator: ", ")
        }

        private static let components = """
            {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Error": {"description": "What is wrong, where, and what to do.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
            "schemas": {
            "Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object",
            "required": ["code", "path", "message", "line", "column"], "properties": {
            "code": {"type": "string"}, "path": {"type": ["string", "null"]},
            "message": {"type": "string"}, "line": {"type": ["integer", "null"]},
            "column": {"type": ["integer", "null"]}}}}},
            "Text": {"type": "string", "description": "A rule as text.",
            "examples": ["email opened at least 3 times in the last 90 days"]},
            "Rule": {"type": ["object", "string"], "description": "A rule as JSON, or as text.",
            "examples": [{"activity": {"channel": "email", "event": "opened", "operator": "exists"}}]},
            "Rules": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Rule"}}}}
            """
    }
#endif
