extension DeviceProfile {
    /// Whether values of a point are dated by the device's own clock.
    package func hasDeviceClock(_ point: PointDefinition) -> Bool {
        guard let wire = self.messageWire, case .payload(let places) = point.source else { return false }
        return places.contains { place in
            wire.messages.indices.contains(place.messageIndex) && wire.messages[place.messageIndex].clock != nil
        }
    }
}
