import CampusModel
import Testing

@testable import DeviceProfile

/// Notifications as shelly-api-docs.shelly.cloud shows them.
struct ShellyDescriptionTests {
    private static let id = "shellyplus1pm-a8032ab12345"
    private static let key = "shelly-shellyplus1pm-a8032ab12345"
    private static let announcement = """
        {"id":"shellyplus1pm-a8032ab12345","name":"Lab plug","mac":"A8032AB12345","model":"SNSW-001P16EU","gen":2,\
        "ver":"1.4.4","app":"Plus1PM","auth_en":false}
        """

    private static func status(_ params: String, method: String = "NotifyStatus") -> String {
        #"{"src":"shellyplus1pm-a8032ab12345","dst":"x/events","method":"\#(method)","params":{"ts":1704110400.12,\#(params)}}"#
    }

    @Test func anAnnouncementAloneTellsWhoAndWhatIsMissing() throws {
        var listener = Listener()
        listener.hear("shellies/announce", Self.announcement, isRetained: false)
        let device = try #require(listener.device(Self.key))
        #expect(device.name == "Lab plug" && device.model == "Plus1PM" && device.draft == nil)
        #expect(device.leftOut.first?.reason.en.contains("no value yet") == true)
    }

    @Test func partialNotificationsAreGathered() throws {
        var listener = Listener()
        listener.hear("shellies/announce", Self.announcement, isRetained: false)
        listener.hear("\(Self.id)/events/rpc", Self.status(#""switch:0":{"id":0,"output":true,"apower":8.2}"#))
        listener.hear("\(Self.id)/events/rpc", Self.status(#""switch:0":{"id":0,"voltage":231.8},"sys":{"uptime":3}"#))
        listener.hear(
            "\(Self.id)/events/rpc",
            Self.status(#""temperature:100":{"id":100,"tC":21.5},"bogus:0":{"x":1}"#)
        )
        let device = try #require(listener.device(Self.key))
        #expect(
            device.draft?.points.map(\.name) == [
                "switch0-output", "switch0-power", "switch0-voltage", "temperature100-temperature",
            ]
        )
        #expect(device.leftOut.map(\.name) == ["bogus:0"])
        // What is absent stays as it was.
        let partial = Self.status(#""switch:0":{"id":0,"apower":0.0}"#)
        #expect(try listener.values(of: device, "\(Self.id)/events/rpc", partial) == ["switch0-power": 0])
        let event = #"{"src":"x","method":"NotifyEvent","params":{"events":[{"component":"input:0"}]}}"#
        guard case .notMine = try listener.outcome(of: device, "\(Self.id)/events/rpc", event).status else {
            Issue.record("an event is no status")
            return
        }
    }

    @Test func anotherPrefixIsItsAddress() throws {
        var listener = Listener()
        let status = Self.status(#""switch:0":{"output":false}"#, method: "NotifyFullStatus")
        listener.hear("floor/1/plug/events/rpc", status, isRetained: false)
        let device = try #require(listener.device(Self.key))
        #expect(device.address == .mqtt(parameters: ["prefix": "floor/1/plug"]))
        #expect(try listener.values(of: device, "floor/1/plug/events/rpc", status) == ["switch0-output": 0])
        #expect(listener.inventory[Self.key]?.isKept == false)
    }

    @Test func theFirstGenerationIsShownAsNotUsable() throws {
        var listener = Listener()
        listener.hear("shellies/announce", #"{"id":"shelly1-B929CC","model":"SHSW-1","fw_ver":"1.14.0"}"#)
        let device = try #require(listener.inventory.all.first?.device)
        #expect(device.draft == nil && device.leftOut.first?.reason.en.contains("first generation") == true)
        #expect(device.key.hasPrefix("shelly-shelly1-b929cc"))
    }

    @Test(arguments: [
        #"{"id":"a/b"}"#, #"{"id":7}"#, "[1]", #"{"id":"x"}"#,
        #"{"id":"\#(String(repeating: "a", count: 65))"}"#,
    ])
    func whatIsNoIdentifierIsRefused(_ payload: String) {
        var listener = Listener()
        listener.hear("shellies/announce", payload)
        #expect(listener.inventory.count == 0 && listener.inventory.counters.broken == 1)
    }

    @Test func aHostileNotificationIsBounded() throws {
        var listener = Listener()
        for number in 0..<200 {
            let params =
                #""switch:\#(number)":{"output":true,"apower":1,"voltage":1,"current":1},"odd\#(number)":{"a":1}"#
            listener.hear("\(Self.id)/events/rpc", Self.status(params))
        }
        let device = try #require(listener.device(Self.key))
        #expect(device.draft?.points.count == ShellyDescription.pointsMax)
        #expect(device.leftOut.count <= DescribedDevice.leftOutMax)
    }
}
