import CampusModel
import Testing

@testable import DeviceProfile

/// Announcements as tasmota.github.io shows them.
struct TasmotaDescriptionTests {
    static let config = """
        {"ip":"192.168.15.10","dn":"Tasmota","fn":["Tasmota",null],"hn":"tasmota-3F1B2C","mac":"A4CF123F1B2C",\
        "md":"Sonoff POW","ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],\
        "sw":"14.2.0","t":"plug_3F1B2C","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],\
        "rl":[1,0,0,0],"swc":[-1,-1],"btn":[0,0],"so":{"4":0},"lk":0,"lt_st":0,"ver":1}
        """
    static let sensors = """
        {"sn":{"Time":"2024-01-01T10:00:00","ENERGY":{"TotalStartTime":"2023-01-01T00:00:00","Total":0.5,"Power":12,\
        "Voltage":[230,231,229],"Current":0.1,"Foo":3},"SCD40":{"CarbonDioxide":1204,"Temperature":20.6},\
        "Switch1":"ON","TempUnit":"C"},"ver":1}
        """
    private static let key = "tasmota-a4cf123f1b2c"

    private func heard() -> Listener {
        var listener = Listener()
        listener.hear("tasmota/discovery/A4CF123F1B2C/config", Self.config)
        listener.hear("tasmota/discovery/A4CF123F1B2C/sensors", Self.sensors)
        return listener
    }

    @Test func twoAnnouncementsBecomeADeviceWithUnits() throws {
        let listener = self.heard()
        let device = try #require(listener.device(Self.key))
        #expect(device.name == "Tasmota" && device.model == "Sonoff POW" && device.firmware == "14.2.0")
        let points = try #require(device.draft).points
        #expect(
            points.map { "\($0.name) \($0.unit)" } == [
                "relay 1", "energy-current A", "energy-power W", "energy-total kW.h", "energy-voltage-0 V",
                "energy-voltage-1 V", "energy-voltage-2 V", "scd40-carbondioxide [ppm]", "scd40-temperature Cel",
                "switch1 1", "wifi %",
            ]
        )
        #expect(points[7].title.vi == "CO₂ (SCD40)")
        #expect(device.leftOut.map(\.name) == ["ENERGY/Foo", "ENERGY/TotalStartTime"])
        #expect(device.reportMilliseconds == 300_000)
    }

    @Test func itsMessagesAreReadAndItsLastWillToo() throws {
        let listener = self.heard()
        let device = try #require(listener.device(Self.key))
        let sensor = """
            {"Time":"2024-01-01T10:05:00","ENERGY":{"Total":0.6,"Power":15,"Voltage":[230,231,228],"Current":0.2},\
            "SCD40":{"CarbonDioxide":900,"Temperature":21},"Switch1":"OFF"}
            """
        let values = try listener.values(of: device, "tele/plug_3F1B2C/SENSOR", sensor)
        #expect(values["energy-power"] == 15 && values["energy-voltage-2"] == 228 && values["switch1"] == 0)
        #expect(try listener.values(of: device, "stat/plug_3F1B2C/POWER", "ON") == ["relay": 1])
        let state = #"{"Time":"2024-01-01T10:05:00","POWER":"OFF","Wifi":{"RSSI":74}}"#
        #expect(try listener.values(of: device, "tele/plug_3F1B2C/STATE", state) == ["relay": 0, "wifi": 74])
        guard case .availability(false) = try listener.outcome(of: device, "tele/plug_3F1B2C/LWT", "Offline").status
        else {
            Issue.record("the last will is not understood")
            return
        }
    }

    @Test func severalRelaysHaveNumbersAndAShutterIsLeftOut() throws {
        var listener = Listener()
        let config = Self.config.replacing(#""rl":[1,0,0,0]"#, with: #""rl":[1,2,3,0]"#)
            .replacing("%prefix%/%topic%/", with: "school/%topic%/%prefix%/")
        listener.hear("tasmota/discovery/A4CF123F1B2C/config", config)
        let device = try #require(listener.device(Self.key))
        #expect(device.draft?.points.map(\.name) == ["relay-1", "light-2", "wifi"])
        #expect(device.leftOut.map(\.name) == ["POWER3", "sensors"])
        #expect(try listener.values(of: device, "school/plug_3F1B2C/stat/POWER2", "ON") == ["light-2": 1])
    }

    @Test(arguments: [
        "[]", "{}", "nonsense", #"{"t":""}"#, #"{"t":"a/#"}"#, #"{"t":"x","ft":"%prefix%/"}"#,
        #"{"t":"x","ft":"%prefix%/{y}/%topic%/"}"#, #"{"t":5}"#, #"{"t":"x","t":"y"}"#,
    ])
    func whatCannotBeAnAnnouncementIsToldAndLeavesNothing(_ payload: String) {
        var listener = Listener()
        listener.hear("tasmota/discovery/A4CF123F1B2C/config", payload)
        #expect(listener.inventory.count == 0)
        #expect(listener.inventory.counters.broken == 1 && listener.inventory.problems.count == 1)
    }

    @Test func aBrokenAnnouncementLeavesTheLastGoodOneAndAnEmptyOneTakesItBack() throws {
        var listener = self.heard()
        let before = try #require(listener.device(Self.key))
        listener.hear("tasmota/discovery/A4CF123F1B2C/config", #"{"t":"+"}"#)
        #expect(listener.device(Self.key) == before)
        listener.hear("tasmota/discovery/A4CF123F1B2C/config", "")
        #expect(listener.inventory.count == 0)
    }
}
