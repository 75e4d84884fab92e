#if Server
    /// A file of the page, which is in the program.
    enum PageFile: Sendable {
        case document, script, style

        var bytes: [UInt8] {
            switch self {
            case .document: PackageResources.index_html
            case .script: PackageResources.page_js
            case .style: PackageResources.page_css
            }
        }

        var mediaType: String {
            switch self {
            case .document: "text/html; charset=utf-8"
            case .script: "text/javascript; charset=utf-8"
            case .style: "text/css; charset=utf-8"
            }
        }
    }
#endif
