import Testing

@testable import DeviceProfile

struct HomeAssistantTemplateTests {
    @Test(
        arguments: [
            ("{{ value }}", nil, 1, 1, 0), ("{{value_json.temperature}}", "temperature", 1, 1, 0),
            ("  {{ value_json.a.b['c d'][0] }} ", "a/b/c d/0", 1, 1, 0),
            ("{{ value_json['x'] | float }}", "x", 1, 1, 0),
            ("{{ value_json[\"x\"] | float(0) | round(1) }}", "x", 1, 1, 0),
            ("{{ value_json.x | float / 10 }}", "x", 1, 10, 0),
            ("{{ (value_json.x | float - 32) * 5 / 9 }}", "x", 5, 9, -160.0 / 9),
            ("{{ 0.1 * value_json.x }}", "x", 0.1, 1, 0), ("{{ (value | int + 1) * (2 * 3) }}", nil, 6, 1, 6),
            ("{{ value_json.x | round(2, 'floor') }}", "x", 1, 1, 0), ("{{ value_json.x | is_defined }}", "x", 1, 1, 0),
        ] as [(String, String?, Double, Double, Double)]
    )
    func onePlaceAndAScaleIsRead(_ text: String, _ path: String?, _ multiply: Double, _ divide: Double, _ add: Double)
        throws
    {
        let template = try #require(HomeAssistantTemplate(text))
        #expect(template.pointer?.joined(separator: "/") == path)
        #expect(template.scale.multiply == multiply && template.scale.divide == divide)
        #expect(abs(template.scale.add - add) < 1e-9)
    }

    @Test(arguments: [
        "", "value", "{{ }}", "{{ states('sensor.x') }}", "{% if value %}1{% endif %}", "{{ value }}{{ value }}",
        "{{ value_json }}", "{{ value_json.a + value_json.b }}", "{{ value_json.a | replace('x','y') }}",
        "{{ 'on' if value_json.x else 'off' }}", "{{ value_json.x == 1 }}", "{{ value_json.x * 0 }}", "{{ 5 }}",
        "{{ value_json[x] }}", "{{ 10 / value_json.x }}", "{{ value_json.x / 0 }}",
        "{{ value | float(states.x) | bad }}",
        "{{ value_json.x[ }}", "{{ value_json['x }}", "{{ 1e400 * value }}", "{{ value - value_json.x }}",
        "{{ ((((((((((((value)))))))))))) }}", "{{ value_json.\u{0} }}",
    ])
    func whateverIsMoreIsRefused(_ text: String) {
        #expect(HomeAssistantTemplate(text) == nil)
    }
}
