import Model

/// What the shop knows without Winnow.
public enum Customers {
    public static let all = [
        Customer(id: "ada", country: "DE", spent: 120),
        Customer(id: "bo", country: "SE", spent: 99.99),
        Customer(id: "cem", country: "DE", spent: 0.1),
    ]
}
