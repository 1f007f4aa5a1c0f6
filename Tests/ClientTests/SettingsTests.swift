import PDSettings
import Testing

@testable import PDClient

@Suite("The agent's settings")
struct AgentSettingsTests {
    private func read(_ yaml: String) throws -> AgentSettings {
        try AgentSettings(yaml: yaml, file: "/a/agent.yml")
    }

    @Test("take all names of an existing file")
    func existing() throws {
        let settings = try read(
            """
            server_url: https://fleet.example.org:443/
            geolocation_api_key: abc
            schedule:
              collect_interval: 10
              submit_interval: 2
            logging:
              handler: syslog
              level: WARNING
              syslog: {facility: daemon, host: loghost, port: 514}
            ssl:
              ca_path: ca.pem
            secret_keeping:
              enabled: true
              key_id: ABCDEF
              selectors: [plugins.geolocation.location]
            """)
        #expect(settings.serverURL == "https://fleet.example.org:443")
        #expect(settings.collectInterval == 10 && settings.submitInterval == 2)
        #expect(settings.logging.level == .warning)
        #expect(settings.caPath == "/a/ca.pem")
        #expect(settings.privateSelectors == ["plugins.geolocation.location"])
        #expect(settings.notes.count == 1)
        guard case .syslog(let syslog) = settings.logging.destinations[0].place else {
            Issue.record("no syslog")
            return
        }
        #expect(syslog.host == "loghost" && syslog.transport == .udp)
    }

    @Test("need no more than the server's address")
    func least() throws {
        let settings = try read("server_url: HTTP://127.0.0.1:8080")
        #expect(settings.serverURL == "http://127.0.0.1:8080")
        #expect(settings.hostname == nil && settings.caPath == nil && settings.notes.isEmpty)
        #expect(settings.collectInterval == 5 && settings.submitInterval == 1)
    }

    @Test(
        "say in one line what is wrong and where",
        arguments: [
            ("", "/a/agent.yml: server_url is missing: set it to https://HOST:PORT"),
            (
                "server_url: http://h\nserver_ulr: x",
                "/a/agent.yml:2: server_ulr is not a setting: did you mean server_url?"
            ),
            (
                "server_url: http://h\nschedule:\n  colect_interval: 5",
                "/a/agent.yml:3: schedule:colect_interval is not a setting: did you mean schedule:collect_interval?"
            ),
            (
                "server_url: http://h\nschedule: {submit_interval: 0}",
                "/a/agent.yml:2: schedule:submit_interval must be a whole number from 1 to 10080"
            ),
            ("server_url: http://h\nhostname: ../../x", "/a/agent.yml:2: hostname is not a host name"),
            ("server_url: fleet", "/a/agent.yml:1: server_url must be http://HOST:PORT or https://HOST:PORT"),
        ])
    func wrong(yaml: String, message: String) {
        #expect {
            try read(yaml)
        } throws: { "\($0)" == message }
    }

    @Test(
        "take no address that is none, or that holds a password",
        arguments: [
            "ftp://h", "https://", "https://:443", "https://ann:secret@h", "https://h h", "https://h?x",
            "//h", "h:443",
            "file:///etc/passwd", "https://h#x",
        ])
    func badAddress(url: String) {
        #expect(throws: SettingsError.self) { try read("server_url: '\(url)'") }
    }
}
