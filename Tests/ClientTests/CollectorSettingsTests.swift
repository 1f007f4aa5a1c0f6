import PDDocument
import Testing

@testable import PDClient

@Suite("Settings of collectors")
struct CollectorSettingsTests {
    private func settings(_ yaml: String) throws -> AgentSettings {
        try AgentSettings(yaml: "server_url: http://127.0.0.1:1\n" + yaml, file: "agent.yml")
    }

    @Test("switch collectors on and off; without them, those run that concern every machine and ask nobody")
    func switches() throws {
        let standard = try settings("")
        #expect(standard.isOn("firewall") && standard.isOn("a-plugin") && standard.isOn("antivirus"))
        for name in ["geolocation", "ip_addresses", "packages", "eset", "eraagent"] {
            #expect(!standard.isOn(name), "\(name)")
        }
        let own = try settings("collectors: {prey: on, eset: off, a-plugin: no}")
        #expect(own.isOn("prey") && !own.isOn("eset") && !own.isOn("a-plugin"))
    }

    @Test("of a release hold where the machine says nothing")
    func released() throws {
        let defaults = try AgentSettings.fleetDefaults(
            yaml: "collectors: {prey: on, eset: off}\ncollector_settings: {x: {a: 1}}", file: "r")
        let both = try AgentSettings(
            yaml: "server_url: http://127.0.0.1:1\ncollectors: {eset: on}", file: "agent.yml",
            defaults: defaults)
        #expect(both.isOn("prey") && both.isOn("eset"))
        #expect(both.collectorSettings == ["x": ["a": "1"]])
    }

    @Test("that are no switch, or whose name cannot be a collector's, are told with their line")
    func mistakes() {
        #expect(throws: (any Error).self) { try settings("collectors: {eset: maybe}") }
        #expect(throws: (any Error).self) { try settings("collectors: {'../x': on}") }
        #expect(throws: (any Error).self) { try settings("collector_settings: {x: {a: {b: c}}}") }
    }

    @Test(
        "of older fleets: the key for geolocation is one for Google's service, which is not asked until it is switched on"
    )
    func geolocation() throws {
        let old = try settings("geolocation_api_key: abc")
        #expect(old.collectorSettings["geolocation"]?.document?["key"] == "abc")
        #expect(
            old.collectorSettings["geolocation"]?.document?["url"]?.string?.contains("googleapis.com") == true
        )
        #expect(!old.isOn("geolocation"))
        let own = try settings(
            "geolocation_api_key: abc\ncollector_settings: {geolocation: {url: 'https://e/'}}")
        #expect(own.collectorSettings["geolocation"]?.document?["url"] == "https://e/")
    }
}
