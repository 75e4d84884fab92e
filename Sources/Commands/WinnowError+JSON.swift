import Winnow
import WinnowJSON

extension WinnowError {
    /// The error as one line for programs.
    package var json: String {
        var line = JSONWriter()
        line.object {
            $0.member("error") {
                $0.object {
                    $0.member("code", code.rawValue)
                    $0.member("path", path)
                    $0.member("message", description)
                    $0.member("line", self.line)
                    $0.member("column", column)
                }
            }
        }
        return line.text
    }
}
