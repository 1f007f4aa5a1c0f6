import PDSettings

/// One port that the settings ask for.
package struct PortSettings: Sendable, Equatable {
    /// The files that a port proves itself with.
    package struct TLS: Sendable, Equatable {
        /// The certificate chain, PEM. Relative to the settings file.
        package var certificate: String
        /// The private key, PEM. Relative to the settings file.
        package var key: String

        /// Names the files.
        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The TCP port.
    package var number: Int
    /// Whether hosts should use another one.
    package var isDeprecated: Bool
    /// What it proves itself with; nothing for plain HTTP.
    package var tls: TLS?

    /// A port.
    package init(number: Int, isDeprecated: Bool = false, tls: TLS? = nil) {
        self.number = number
        self.isDeprecated = isDeprecated
        self.tls = tls
    }
}

extension PortSettings {
    /// An `ssl` mapping as it stands: what it leaves out comes from the one above it.
    private struct Part {
        var enabled: Bool?
        var certificate: String?
        var key: String?

        init(_ owner: inout SettingsMapping) throws(SettingsError) {
            var ssl = try owner.mapping("ssl")
            enabled = try ssl.bool("enabled")
            certificate = try ssl.string("certificate")
            key = try ssl.string("key")
            try ssl.finish()
        }

        func tls(else outer: Part?, _ owner: SettingsMapping) throws(SettingsError) -> TLS? {
            let certificate = certificate ?? outer?.certificate
            // Version 1: "defaults to true if certificate is configured". Plain HTTP in place of what a file means by TLS
            // would be noticed by nobody.
            guard enabled ?? outer?.enabled ?? (certificate != nil) else { return nil }
            guard let certificate, let key = key ?? outer?.key else {
                throw owner.error("ssl", "needs a certificate and a key")
            }
            return TLS(certificate: certificate, key: key)
        }
    }

    /// A number, a list, or a mapping of numbers to what holds for each; `ssl` beside it holds for those that do not say.
    ///
    /// - Parameter notes: gets what has no effect.
    static func read(
        _ top: inout SettingsMapping, notes: inout [String]
    ) throws(SettingsError) -> [PortSettings] {
        let common = try Part(&top)
        var isThreaded = try top.bool("threaded") != nil
        var ports: [PortSettings] = []
        func add(_ text: String, _ port: PortSettings) throws(SettingsError) {
            guard let number = Int(text), text == "\(number)", (0...65_535).contains(number) else {
                throw top.error(
                    "port", "must be a number from 0 to 65535, a list of them, or a mapping of them")
            }
            guard !ports.contains(where: { $0.number == number }) else {
                throw top.error("port", "names \(number) twice")
            }
            var port = port
            port.number = number
            ports.append(port)
        }
        if top.node("port")?.entries != nil {
            var mapping = try top.mapping("port")
            for name in mapping.names {
                var one = try mapping.mapping(name)
                let isDeprecated = try one.bool("deprecated") ?? false
                let part = try Part(&one)
                if try one.bool("threaded") != nil { isThreaded = true }
                try one.finish()
                let tls = try part.tls(else: common, one)
                try add(name, PortSettings(number: 0, isDeprecated: isDeprecated, tls: tls))
            }
        } else {
            let tls = try common.tls(else: nil, top)
            for text in try top.strings("port") { try add(text, PortSettings(number: 0, tls: tls)) }
        }
        if ports.isEmpty {
            guard !top.has("port") else { throw top.error("port", "names no port") }
            let tls = try common.tls(else: nil, top)
            ports = [PortSettings(number: tls == nil ? 80 : 443, tls: tls)]
        }
        if isThreaded {
            notes.append("threaded has no effect: every port serves any number of hosts at once")
        }
        return ports
    }
}
