import WinnowJSON

/// What a check of a store came to.
public struct StoreVerification: Sendable, Hashable {
    /// Something that is wrong, or a place where a value was found.
    public struct Finding: Sendable, Hashable {
        /// The file's path.
        public var file: String
        /// What is there.
        public var what: String
    }

    /// Files of the current version, and their bytes.
    public var files: Int
    /// Their bytes.
    public var bytes: Int
    /// Empty when all is well.
    public var findings: [Finding]
    /// Whether nothing is wrong.
    public var isSound: Bool { findings.isEmpty }
}

extension StoreVerification: JSONWritable {
    package func write(to json: inout JSONWriter) { write(found: [], to: &json) }

    /// The same with places where a value was found, which are no harm.
    package func write(found places: [Finding], to json: inout JSONWriter) {
        json.object { json in
            json.member("ok", isSound)
            json.member("files", files)
            json.member("bytes", bytes)
            json.member("findings") {
                $0.array(findings + places) { json, finding in
                    json.object {
                        $0.member("file", finding.file)
                        $0.member("what", finding.what)
                    }
                }
            }
        }
    }
}
