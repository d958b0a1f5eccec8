extension DeviceProfile {
    /// Whether values of a point are dated by the device's own clock.
    package func hasDeviceClock(_ point: PointDefinition) -> Bool {
        guard case .mqtt(let wire) = self.wire, case .payload(let source) = point.source,
            wire.messages.indices.contains(source.messageIndex)
        else { return false }
        return wire.messages[source.messageIndex].clock != nil
    }
}
