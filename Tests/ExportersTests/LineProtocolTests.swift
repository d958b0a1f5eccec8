import CampusModel
import Exporters
import Testing

@Suite struct LineProtocolTests {
    private func text(
        _ identity: SeriesIdentity,
        _ samples: [Sample],
        _ change: (inout LineProtocol) -> Void = { _ in }
    ) -> String {
        var format = LineProtocol()
        change(&format)
        var body: [UInt8] = []
        format.append(SeriesRun(series: 0, identity: identity, samples: samples), to: &body)
        return String(decoding: body, as: UTF8.self)
    }

    private let plain = SeriesIdentity(site: "s", room: "r1", device: "d", point: "p", unit: "Cel")
    private let good = Sample(tick: Tick(rawValue: 1_700_000_000_123), value: 21.5)

    @Test(arguments: [
        ("a b", "a\\ b"), ("a,b", "a\\,b"), ("a=b", "a\\=b"), ("Phòng 1", "Phòng\\ 1"), ("a\nb", "a\\ b"),
        ("a\\", "a\\\\"), ("\"q\"", "\"q\""), ("%{LEL}", "%{LEL}"),
    ])
    func tagValuesAreEscaped(_ raw: String, _ escaped: String) {
        var identity = self.plain
        identity.unit = raw
        #expect(
            self.text(identity, [self.good])
                == "campus,device=d,point=p,room=r1,site=s,unit=\(escaped) value=21.5,quality=\"good\" 1700000000123\n"
        )
    }

    @Test func measurementsAreEscapedAndEmptyTagsLeftOut() {
        let identity = SeriesIdentity(site: "s", room: "", device: "d", point: "p", unit: "")
        #expect(
            self.text(identity, [self.good]) { $0.measurement = "my data,x" }
                == "my\\ data\\,x,device=d,point=p,site=s value=21.5,quality=\"good\" 1700000000123\n"
        )
    }

    @Test(arguments: [
        0.1, 1e22, 1e-7, 21.0, -0.0, 123_456_789.123_456_78, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ])
    func everyDigitOfANumberArrives(_ value: Double) throws {
        let line = self.text(self.plain, [Sample(tick: self.good.tick, value: value)])
        let text = try #require(line.split(separator: " ")[1].split(separator: ",").first).dropFirst("value=".count)
        #expect(Double(text)?.bitPattern == value.bitPattern)
    }

    @Test(arguments: [
        (
            LineProtocol.QualityForm.field,
            "campus,device=d,point=p,room=r1,site=s,unit=Cel quality=\"bad:sentinel\" 5\n"
        ),
        (.code, "campus,device=d,point=p,room=r1,site=s,unit=Cel quality=130i 5\n"), (.tag, ""), (.none, ""),
    ])
    func badSamplesHaveNoValue(_ form: LineProtocol.QualityForm, _ expected: String) {
        let bad = Sample(tick: Tick(rawValue: 5), value: 0, quality: .bad(.sentinel))
        #expect(self.text(self.plain, [bad]) { $0.quality = form } == expected)
    }

    @Test(arguments: [
        (LineProtocol.QualityForm.tag, ",quality=uncertain:stale value=1.0 5\n"), (.code, " value=1.0,quality=69i 5\n"),
        (.none, " value=1.0 5\n"), (.field, " value=1.0,quality=\"uncertain:stale\" 5\n"),
    ])
    func qualityIsToldAsAsked(_ form: LineProtocol.QualityForm, _ end: String) {
        let sample = Sample(tick: Tick(rawValue: 5), value: 1, quality: .uncertain(.stale))
        #expect(self.text(self.plain, [sample]) { $0.quality = form }.hasSuffix("unit=Cel" + end))
    }

    @Test func nanosecondsHaveSixMoreDigits() {
        #expect(self.text(self.plain, [self.good]) { $0.precision = .nanoseconds }.hasSuffix(" 1700000000123000000\n"))
    }
}
