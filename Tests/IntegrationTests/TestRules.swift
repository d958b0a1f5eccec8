/// Rules under which a simulated school has alerts at once, whatever the hour.
enum TestRules {
    static let text = """
        pack: test
        title: {vi: "Luật thử", en: "Rules of tests"}
        rules:
          - id: test-warm
            title: {vi: "Không lạnh", en: "Not cold"}
            advice: {vi: "Không cần làm gì.", en: "Nothing to do."}
            priority: medium
            unit: Cel
            watch: {points: [temperature], rooms: [classroom, smart-classroom]}
            threshold: {above: -100}
          - id: test-gas
            title: {vi: "Có không khí", en: "There is air"}
            advice: {vi: "Thở.", en: "Breathe."}
            priority: critical
            lifeSafety: true
            unit: "[ppm]"
            watch: {points: [co2], devices: [a101-khi]}
            threshold: {above: 1}
          - id: test-latch
            title: {vi: "Giờ chạy", en: "Hours"}
            advice: {vi: "Đếm lại.", en: "Count anew."}
            priority: low
            latching: true
            watch: {points: [co2], devices: [a101-khi]}
            runHours: {above: 0.002}
        """
}
