/// The short names of Home Assistant's MQTT discovery, written out.
///
/// Facts: home-assistant.io, "MQTT", "Discovery messages" and "Supported abbreviations".
enum HomeAssistantWords {
    /// The members of a component or device, with their long names and without `~`.
    ///
    /// A member that has both its names keeps the long one.
    static func writtenOut(_ value: DescriptionValue, base: String? = nil) -> DescriptionValue {
        guard case .map(let members) = value else { return value }
        let base = members["~"]?.text ?? base
        var result: [String: DescriptionValue] = [:]
        for (name, member) in members where name != "~" {
            let long = self.long[name] ?? name
            guard long == name || members[long] == nil else { continue }
            result[long] = self.member(member, called: long, base)
        }
        return .map(result)
    }

    private static func member(_ value: DescriptionValue, called name: String, _ base: String?) -> DescriptionValue {
        switch (name, value) {
        case ("device", .map(let members)), ("origin", .map(let members)):
            let table = name == "device" ? self.device : self.origin
            return .map(
                Dictionary(members.map { (table[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
            )
        case ("availability", .list(let entries)): return .list(entries.map { self.writtenOut($0, base: base) })
        case ("availability", .map): return self.writtenOut(value, base: base)
        case (_, .text(let text)) where name.hasSuffix("topic"):
            guard let base else { return value }
            if text.hasPrefix("~") { return .text(base + text.dropFirst()) }
            if text.hasSuffix("~") { return .text(text.dropLast() + base) }
            return value
        default: return value
        }
    }

    private static let device: [String: String] = [
        "cu": "configuration_url", "cns": "connections", "ids": "identifiers", "mf": "manufacturer", "mdl": "model",
        "mdl_id": "model_id", "hw": "hw_version", "sw": "sw_version", "sa": "suggested_area", "sn": "serial_number",
    ]

    private static let origin: [String: String] = ["sw": "sw_version", "url": "support_url"]

    private static let long: [String: String] = [
        "avty": "availability", "avty_mode": "availability_mode", "avty_t": "availability_topic",
        "avty_tpl": "availability_template", "bri_stat_t": "brightness_state_topic", "cmps": "components",
        "curr_hum_t": "current_humidity_topic", "curr_hum_tpl": "current_humidity_template",
        "curr_temp_t": "current_temperature_topic", "curr_temp_tpl": "current_temperature_template",
        "dev": "device", "dev_cla": "device_class", "exp_aft": "expire_after", "mode_stat_t": "mode_state_topic",
        "mode_stat_tpl": "mode_state_template", "o": "origin", "obj_id": "object_id", "ops": "options",
        "p": "platform", "pl_avail": "payload_available", "pl_not_avail": "payload_not_available",
        "pl_off": "payload_off", "pl_on": "payload_on", "pos_clsd": "position_closed", "pos_open": "position_open",
        "pos_t": "position_topic", "pos_tpl": "position_template", "stat_clsd": "state_closed",
        "stat_cla": "state_class", "stat_closing": "state_closing", "stat_locked": "state_locked",
        "stat_off": "state_off", "stat_on": "state_on", "stat_open": "state_open", "stat_opening": "state_opening",
        "stat_stopped": "state_stopped", "stat_t": "state_topic", "stat_tpl": "state_template",
        "stat_unlocked": "state_unlocked", "stat_val_tpl": "state_value_template", "t": "topic",
        "temp_stat_t": "temperature_state_topic", "temp_stat_tpl": "temperature_state_template",
        "temp_unit": "temperature_unit", "tpl": "template", "uniq_id": "unique_id",
        "unit_of_meas": "unit_of_measurement", "val_tpl": "value_template",
    ]
}
