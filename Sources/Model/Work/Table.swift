/// Rows in memory, column by column, as a program hands them over: record batches of Apache Arrow
/// (https://arrow.apache.org/docs/format/Columnar.html), whose buffers are read where they are.
package struct Table: Sendable {
    /// For messages.
    package let name: String
    package let columns: [Column]
    /// The next rows, nil at the end. Called on the loading thread.
    package let next: @Sendable () throws(WinnowError) -> TableBatch?

    package struct Column: Sendable {
        package let name: String
        package let layout: TableLayout

        package init(name: String, layout: TableLayout) {
            self.name = name
            self.layout = layout
        }
    }

    package init(
        name: String, columns: [Column],
        next: @escaping @Sendable () throws(WinnowError) -> TableBatch?
    ) {
        self.name = name
        self.columns = columns
        self.next = next
    }
}

/// How the values of a column are laid out. Widths are in bytes.
package indirect enum TableLayout: Sendable, Hashable {
    case nothing
    /// A bit each.
    case booleans
    case integers(width: Int, isSigned: Bool)
    case floats(width: Int)
    /// Units of 10^−scale.
    case decimals(width: Int, scale: Int)
    /// Days since 1970, four bytes.
    case dates
    /// Since 1970, eight bytes; by UTC where there is a zone, else by somebody's clock.
    case times(perSecond: Int64, hasZone: Bool)
    /// Ends of texts in one buffer.
    case texts(offsetWidth: Int)
    /// Sixteen bytes each: a short text, or where a longer one is.
    case textViews
    case lists(offsetWidth: Int, of: TableLayout)
    /// Numbers of values in a column of their own.
    case codes(width: Int, isSigned: Bool, of: TableLayout)
    /// Something that no column of the store can take, by Arrow's format.
    case other(String)
}

/// Some rows of a table.
package struct TableBatch: Sendable {
    package let rows: Int
    /// In the order of the table's columns.
    package let columns: [TableColumn]
    /// What keeps the buffers.
    private let owner: any Sendable & AnyObject

    package init(rows: Int, columns: [TableColumn], owner: any Sendable & AnyObject) {
        self.rows = rows
        self.columns = columns
        self.owner = owner
    }
}

/// The buffers of a column, which its layout explains. They are only read.
@safe package struct TableColumn: @unchecked Sendable {
    /// Values that are there, those before `offset` included.
    package let count: Int
    /// Where the first row is.
    package let offset: Int
    /// A bit each, 0 where there is no value; nil where all have one.
    package let validity: UnsafePointer<UInt8>?
    /// Values, ends, views or codes.
    package let values: UnsafeRawPointer?
    /// Buffers of the bytes of texts: one, of views any number.
    package let texts: UnsafeBufferPointer<UnsafeRawPointer?>
    /// Of views, how many bytes each of them has.
    package let textSizes: UnsafePointer<Int64>?
    /// Elements of lists, or what codes stand for.
    package let inner: [TableColumn]

    package init(
        count: Int, offset: Int, validity: UnsafePointer<UInt8>?, values: UnsafeRawPointer?,
        texts: UnsafeBufferPointer<UnsafeRawPointer?> = unsafe .init(start: nil, count: 0),
        textSizes: UnsafePointer<Int64>? = nil, inner: [TableColumn] = []
    ) {
        self.count = count
        self.offset = offset
        unsafe self.validity = unsafe validity
        unsafe self.values = unsafe values
        unsafe self.texts = unsafe texts
        unsafe self.textSizes = unsafe textSizes
        self.inner = inner
    }
}
