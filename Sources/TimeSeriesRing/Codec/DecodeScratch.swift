/// Memory that decoding needs for itself; one for each thread that decodes.
final class DecodeScratch {
    /// Most samples or roll-ups of one block.
    static let blockMax = 20_480

    let numbers = UnsafeMutablePointer<UInt64>.allocate(capacity: DecodeScratch.blockMax)
    let table = UnsafeMutablePointer<UInt64>.allocate(capacity: EntropyCoder.tableEntries)
    let sums = EntropySums()
    let integers = UnsafeMutablePointer<Int64>.allocate(capacity: DecodeScratch.blockMax)
    let values = UnsafeMutablePointer<Double>.allocate(capacity: ValueForm.tableMax)

    deinit {
        self.values.deallocate()
        self.numbers.deallocate()
        self.table.deallocate()
        self.integers.deallocate()
    }
}
