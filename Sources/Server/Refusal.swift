#if Server
    import HTTPTypes
    import Winnow
    import WinnowCommands
    import WinnowJSON

    /// Why a request gets no answer, as a client sees it.
    struct Refusal: Error {
        let status: HTTPResponse.Status
        let code: String
        let message: String
        var fields = HTTPFields()
        /// The body: the command line's JSON of an error.
        let json: String

        init(
            _ status: HTTPResponse.Status, _ code: String, _ message: String,
            _ fields: HTTPFields = HTTPFields()
        ) {
            self.status = status
            self.code = code
            self.message = message
            self.fields = fields
            var line = JSONWriter()
            line.object {
                $0.member("error") {
                    $0.object {
                        $0.member("code", code)
                        $0.member("path", String?.none)
                        $0.member("message", message)
                        $0.member("line", Int?.none)
                        $0.member("column", Int?.none)
                    }
                }
            }
            json = line.text
        }

        init(_ error: WinnowError) {
            status = error.status
            code = error.code.rawValue
            message = error.description
            json = error.json
        }

        static func usage(_ message: String) -> Refusal { Refusal(.usage(message)) }
    }

    extension WinnowError {
        /// The status of a response with this error.
        fileprivate var status: HTTPResponse.Status {
            switch exitCode {
            case 64: .badRequest
            case 65: .unprocessableContent
            case 66: .notFound
            case 73, 75: .conflict
            case 130: .clientIsGone
            default: .internalServerError
            }
        }
    }

    extension HTTPResponse.Status {
        /// Nobody waits for the answer any more; seen in metrics alone.
        static let clientIsGone = HTTPResponse.Status(
            code: 499, reasonPhrase: "Client Closed Request")
    }
#endif
