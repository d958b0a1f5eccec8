internal import CMosquitto
internal import Glibc

/// One libmosquitto client for one connection.
///
/// Used by the connection's thread only.
///
/// Ownership: the handle keeps an unretained pointer to `self` as the context of its callbacks, which only run inside
/// `mosquitto_loop_*` calls of this object; `deinit` destroys the handle before the object is gone.
final class MosquittoHandle {
    private let raw: OpaquePointer
    private(set) var batch: [MQTTMessage] = []
    private(set) var connectResult: Int32?
    private(set) var disconnectResult: Int32?
    private(set) var acknowledged: [Int32] = []
    private(set) var repairedTopics: UInt64 = 0
    private var arrivedNanoseconds: UInt64 = 0
    private let isVersion5: Bool

    /// `mosquitto_lib_init` is not thread-safe and must come first; a global is initialised once.
    private static let library: Int32 = mosquitto_lib_init()

    init(_ configuration: MQTTConfiguration) throws(MQTTError) {
        _ = Self.library
        let isClean = configuration.sessionExpirySeconds == 0
        guard let raw = mosquitto_new(configuration.clientID, isClean, nil) else {
            throw MQTTError(.broker, "libmosquitto cannot make a client: \(String(cString: strerror(errno)))")
        }
        self.raw = raw
        self.isVersion5 = configuration.version == .v5
        mosquitto_user_data_set(raw, Unmanaged.passUnretained(self).toOpaque())
        try self.configure(configuration)
        self.setCallbacks()
    }

    deinit { mosquitto_destroy(self.raw) }

    private func configure(_ configuration: MQTTConfiguration) throws(MQTTError) {
        // Acknowledgements are only queued while reading, and leave in `write()`, after the receiver has committed.
        mosquitto_threaded_set(self.raw, true)
        let version = configuration.version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
        mosquitto_int_option(self.raw, MOSQ_OPT_PROTOCOL_VERSION, Int32(version))
        mosquitto_int_option(
            self.raw,
            MOSQ_OPT_RECEIVE_MAXIMUM,
            Int32(clamping: min(max(configuration.inFlightMax, 1), 65_535))
        )
        if let username = configuration.username {
            try Self.check(
                mosquitto_username_pw_set(self.raw, username, configuration.password),
                "the user name or password"
            )
        }
        if let will = configuration.lastWillOfConnection?() ?? configuration.lastWill {
            let payload = will.payload
            try Self.check(
                mosquitto_will_set(self.raw, will.topic, Int32(payload.count), payload, 1, will.isRetained),
                "the last will"
            )
        }
        if let tls = configuration.tls {
            try Self.check(
                mosquitto_tls_set(self.raw, tls.authorityFile, nil, tls.certificateFile, tls.keyFile, nil),
                "the certificate files \(tls.authorityFile), \(tls.certificateFile ?? "-"), \(tls.keyFile ?? "-")"
            )
            // Without a version 2.0.11 still takes TLS 1.1; this one is a minimum.
            try Self.check(mosquitto_tls_opts_set(self.raw, 1, "tlsv1.2", nil), "the TLS version")
        }
    }

    private static func check(_ result: Int32, _ what: String) throws(MQTTError) {
        guard result != Int32(MOSQ_ERR_SUCCESS.rawValue) else { return }
        throw MQTTError(.broker, "\(what) cannot be used: \(String(cString: mosquitto_strerror(result)))")
    }

    private func setCallbacks() {
        mosquitto_connect_callback_set(self.raw) { _, context, result in
            MosquittoHandle.from(context)?.connectResult = result
        }
        mosquitto_disconnect_callback_set(self.raw) { _, context, result in
            MosquittoHandle.from(context)?.disconnectResult = result
        }
        mosquitto_publish_callback_set(self.raw) { _, context, identifier in
            MosquittoHandle.from(context)?.acknowledged.append(identifier)
        }
        mosquitto_message_callback_set(self.raw) { _, context, message in
            guard let handle = MosquittoHandle.from(context), let message = message?.pointee else { return }
            handle.take(message)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> MosquittoHandle? {
        context.map { Unmanaged<MosquittoHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Copies a message; libmosquitto frees it when the callback returns.
    private func take(_ message: mosquitto_message) {
        guard let topicBytes = message.topic else { return }
        let topic: String
        if let valid = String(validatingCString: topicBytes) {
            topic = valid
        } else {
            topic = String(cString: topicBytes)
            self.repairedTopics &+= 1
        }
        let count = Int(message.payloadlen)
        let payload: [UInt8] =
            count > 0 && message.payload != nil
            ? Array(UnsafeRawBufferPointer(start: message.payload, count: count)) : []
        self.batch.append(
            MQTTMessage(
                topic: topic,
                payload: payload,
                qos: UInt8(clamping: message.qos),
                isRetained: message.retain,
                receivedNanoseconds: self.arrival()
            )
        )
    }

    /// When a message arrived.
    ///
    /// Messages that were in the socket together share a reading of the clock, eight at a time: they are microseconds
    /// apart.
    private func arrival() -> UInt64 {
        if self.batch.count & 7 == 0 || self.arrivedNanoseconds == 0 { self.arrivedNanoseconds = boottimeNanoseconds() }
        return self.arrivedNanoseconds
    }

    /// Connects, waiting at most as long as the system's own connect.
    func connect(_ configuration: MQTTConfiguration) -> Int32 {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if configuration.version == .v5, configuration.sessionExpirySeconds > 0 {
            mosquitto_property_add_int32(
                &properties,
                Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
                configuration.sessionExpirySeconds
            )
        }
        return mosquitto_connect_bind_v5(
            self.raw,
            configuration.host,
            Int32(configuration.port),
            Int32(configuration.keepAliveSeconds),
            nil,
            properties
        )
    }

    var socket: Int32 { mosquitto_socket(self.raw) }
    var wantsToWrite: Bool { mosquitto_want_write(self.raw) }

    /// Reads until nothing more is there, or 500 messages, or 20 ms.
    func read() -> Int32 {
        let deadline = boottimeNanoseconds() &+ 20_000_000
        self.arrivedNanoseconds = 0
        while true {
            let before = self.batch.count
            let result = mosquitto_loop_read(self.raw, 1)
            if result != 0 { return result }
            if self.batch.count == before || self.batch.count >= 500 { return 0 }
            if self.batch.count & 31 == 0, boottimeNanoseconds() > deadline { return 0 }
        }
    }

    func write() -> Int32 { mosquitto_loop_write(self.raw, 1) }
    func keepAlive() -> Int32 { mosquitto_loop_misc(self.raw) }
    func disconnect() { mosquitto_disconnect(self.raw) }

    func takeBatch() -> [MQTTMessage] {
        defer { self.batch.removeAll(keepingCapacity: true) }
        return self.batch
    }

    func takeAcknowledged() -> [Int32] {
        defer { self.acknowledged.removeAll(keepingCapacity: true) }
        return self.acknowledged
    }

    func subscribe(_ filters: [String]) -> Int32 {
        for filter in filters {
            let result = mosquitto_subscribe(self.raw, nil, filter, 1)
            if result != 0 { return result }
        }
        return 0
    }

    func unsubscribe(_ filters: [String]) {
        for filter in filters { mosquitto_unsubscribe(self.raw, nil, filter) }
    }

    /// Hands a message over; returns its identifier, or the negative error.
    func publish(_ message: OutgoingMessage) -> Int32 {
        var identifier: Int32 = 0
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if let seconds = message.command?.expirySeconds, self.isVersion5 {
            mosquitto_property_add_int32(&properties, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), seconds)
        }
        let result = mosquitto_publish_v5(
            self.raw,
            &identifier,
            message.topic,
            Int32(clamping: message.payload.count),
            message.payload,
            Int32(message.qos),
            message.isRetained,
            properties
        )
        return result == 0 ? identifier : -result
    }

    static func text(ofError result: Int32) -> String { String(cString: mosquitto_strerror(result)) }

    /// What the broker meant by refusing a connection, for versions 3.1.1 (1–5) and 5 (128 and up).
    static func text(ofRefusal code: Int32) -> String {
        switch code {
        case 1, 132: "the broker does not speak this protocol version"
        case 2, 133: "the broker does not accept this client identifier"
        case 3, 136: "the broker is not available"
        case 4, 134: "the user name or password is wrong"
        case 5, 135: "the broker does not allow this client to connect"
        case 137: "the broker is busy"
        default: "the broker refused the connection (code \(code))"
        }
    }
}

/// A message to publish.
struct OutgoingMessage: Sendable {
    /// An order to a device, which must not be carried out late.
    struct Command: Sendable {
        /// After that long the broker drops it instead of delivering it (version 5).
        var expirySeconds: UInt32
        /// `CLOCK_BOOTTIME`; what could not be handed over by then is not sent at all.
        var deadlineNanoseconds: UInt64
    }

    var topic: String
    var payload: [UInt8]
    var qos: UInt8
    var isRetained: Bool
    /// Set where it is worth something over the present connection only.
    var command: Command?
    /// Connections that ended while this message was unacknowledged.
    var failures = 0
    /// Called once, on the connection's thread: `nil` when the broker has it (quality 1) or it was sent (quality 0).
    var completion: (@Sendable (Result<Int, MQTTError>) -> Void)?
}

func boottimeNanoseconds() -> UInt64 {
    var time = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
