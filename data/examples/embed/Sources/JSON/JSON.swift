/// Quotes a text that has nothing to escape.
public func quoted(_ text: String) -> String { "\"\(text)\"" }
