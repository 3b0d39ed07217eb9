import FerryConnector

/// What became of the items of a batch that are written side by side, in the order of the batch.
struct BatchReceipts: Sendable {
    private var receipts: [WriteReceipt?]

    init(count: Int) { receipts = [WriteReceipt?](repeating: nil, count: count) }

    subscript(index: Int) -> WriteReceipt? {
        get { receipts[index] }
        set { receipts[index] = newValue }
    }

    /// Throws the error of an item that is everybody's: then the batch cannot go on.
    mutating func take(_ receipt: WriteReceipt, at index: Int) throws(ConnectorError) {
        if case .failure(let error) = receipt, !error.concernsOneItemOnly { throw error }
        receipts[index] = receipt
    }

    /// Once everything was written or has failed.
    func complete() -> [WriteReceipt] {
        receipts.map { receipt in
            guard let receipt else { preconditionFailure("An item of a batch was neither written nor failed.") }
            return receipt
        }
    }
}
