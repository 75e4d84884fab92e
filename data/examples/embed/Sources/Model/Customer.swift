/// A customer of the shop.
public struct Customer: Sendable {
    public let id: String
    public let country: String
    public let spent: Double

    public init(id: String, country: String, spent: Double) {
        self.id = id
        self.country = country
        self.spent = spent
    }
}
