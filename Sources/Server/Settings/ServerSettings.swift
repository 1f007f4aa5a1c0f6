import Foundation
import Logging
import PDSettings

/// The settings of a server: `server.yml`, under the names that version 1 uses.
public struct ServerSettings: Sendable, Equatable {
    /// The ports to listen on.
    public var ports: [Int]
    /// The address to bind; all of them unless set.
    public var address: String
    /// What is logged at least.
    public var logLevel: Logger.Level
    /// The file of the embedded store; `fleet.sqlite` in the state directory unless set. Relative to that directory.
    public var databaseFile: String?

    /// Logbook's names for levels, which settings of version 1 use, beside those of swift-log.
    private enum Level: String, CaseIterable {
        case trace, debug, info, notice, warning, error, critical

        var level: Logger.Level {
            switch self {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
        }
    }

    /// Reads a settings file's text.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    public init(yaml: String, file: String) throws(SettingsError) {
        var top = try SettingsMapping(yaml: yaml, file: file)
        ports = try Self.ports(&top)
        address = try top.string("address") ?? "::"
        var logging = try top.mapping("logging")
        logLevel = try logging.choice("level", Level.self)?.level ?? .info
        try logging.finish()
        var database = try top.mapping("database")
        databaseFile = try database.string("file")
        try database.finish()
        try top.finish()
    }

    private static func ports(_ top: inout SettingsMapping) throws(SettingsError) -> [Int] {
        let texts = try top.strings("port")
        var ports: [Int] = []
        for text in texts {
            guard let port = Int(text), (0...65_535).contains(port) else {
                throw top.error("port", "must be a number from 0 to 65535, or a list of such numbers")
            }
            guard !ports.contains(port) else { throw top.error("port", "names \(port) twice") }
            ports.append(port)
        }
        return ports.isEmpty ? [80] : ports
    }
}
