internal import Acquisition
internal import CampusModel
internal import MQTTTransport
internal import SchoolRecords
internal import Synchronization
internal import TimeSeriesRing

/// Lets acquisition store samples in the ring.
struct RingStore: SampleStoring {
    let ring: TimeSeriesRing

    func series(named name: String) throws -> SeriesIndex { try self.ring.series(named: name) }

    func append(contentsOf samples: UnsafeBufferPointer<SeriesSample>) { self.ring.append(contentsOf: samples) }
}

/// Lets acquisition commit events to the records.
struct RecordsStore: EventStoring {
    let records: Records

    func store(_ events: [Event], received: Tick) throws {
        _ = try self.records.store(events: events, received: received)
    }
}

/// Hands the broker's messages to acquisition, on the connection's thread.
final class IngestReceiver: MQTTBatchReceiver {
    private let ingest: MessageIngest
    private let state = Mutex(MQTTConnectionState.connecting)

    init(ingest: MessageIngest) { self.ingest = ingest }

    var connectionState: MQTTConnectionState { self.state.withLock { $0 } }

    func receive(_ batch: [MQTTMessage]) throws {
        try self.ingest.receive(
            batch.lazy.filter { !$0.topic.hasPrefix("campus/gateway/") }
                .map { message in
                    InboundMessage(
                        topic: message.topic,
                        payload: message.payload,
                        isRetained: message.isRetained,
                        receivedNanoseconds: message.receivedNanoseconds
                    )
                }
        )
    }

    func connectionChanged(_ state: MQTTConnectionState) { self.state.withLock { $0 = state } }
}
