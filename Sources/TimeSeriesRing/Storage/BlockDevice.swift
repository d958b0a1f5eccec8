/// What the ring needs of a card: bytes by position, and a barrier.
///
/// What is written is on the card, whatever the power does, once ``flush()`` has returned; before that each sector of
/// it may be there, or not, or half. Tests bring a device that does all of that.
package protocol BlockDevice: AnyObject, Sendable {
    /// Bytes; does not change.
    var size: Int { get }
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(RingError)
    func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RingError)
    func flush() throws(RingError)
}

/// In place of a card that cannot be read: nothing is written to it either.
final class RefusingDevice: BlockDevice {
    let size: Int

    init(size: Int) { self.size = size }

    private var refusal: RingError {
        RingError(.inputOutput, "the card could not be read at the start; check it, then start again")
    }

    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(RingError) { throw self.refusal }
    func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RingError) { throw self.refusal }
    func flush() throws(RingError) { throw self.refusal }
}
