import PDSecrets

extension V1 {
    /// Which end of a pipe speaks.
    public enum PipePeer: String, Sendable, CaseIterable {
        /// The person who asked for a shell, through the server's machine.
        case server
        /// The host whose shell it is.
        case client

        /// The other end.
        public var other: PipePeer { self == .server ? .client : .server }
    }

    /// The identifier of a pipe: 32 hexadecimal digits in lower case. Whoever knows it may speak on the pipe.
    public static let pipeIDDigits = 32

    /// What both ends tell the server about the cipher that each shares with it. Holds secrets: never log it.
    public struct PipeKey: Sendable, Equatable {
        /// The text whose SHA-256 is the AES key.
        public let key: String
        /// The text whose SHA-256 begins with the first initial vector.
        public let iv: String

        init(_ fields: RequestFields) throws(ProtocolError) {
            key = try fields.words("encryption_key")
            iv = try fields.words("encryption_iv")
        }
    }

    /// Asks for a pipe to a host: the `data` of `server_pipe/server/create`.
    public struct PipeCreation: Sendable, Equatable {
        /// Who asks.
        public let hostname: Hostname
        /// The host that is to open the other end.
        public let clientHostname: Hostname
        /// What the asking end shares with the server.
        public let key: PipeKey

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            clientHostname = try fields.hostname("client_hostname")
            key = try PipeKey(fields)
        }
    }

    /// A host opens its end: the `data` of `server_pipe/client/open`.
    public struct PipeOpening: Sendable, Equatable {
        /// Who opens it.
        public let hostname: Hostname
        /// Which pipe.
        public let pipe: String
        /// What this end shares with the server.
        public let key: PipeKey

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            pipe = try fields.hexadecimal("pipe_id", digits: pipeIDDigits)
            key = try PipeKey(fields)
        }
    }

    /// Names a pipe: the `data` of `receive` and `close`.
    public struct PipeReference: Sendable, Equatable {
        /// Which pipe.
        public let pipe: String

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            pipe = try RequestFields(json: json).hexadecimal("pipe_id", digits: pipeIDDigits)
        }
    }

    /// Carries one encrypted message: the `data` of `send`.
    public struct PipeMessage: Sendable, Equatable {
        /// Which pipe.
        public let pipe: String
        /// The encrypted message.
        public let message: [UInt8]

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            pipe = try fields.hexadecimal("pipe_id", digits: pipeIDDigits)
            message = try fields.base64("data")
        }
    }

    /// The answers of the pipe endpoints.
    public enum PipeAnswer: Sendable, Equatable {
        /// A pipe was made.
        case created(pipe: String)
        /// Done; to a `receive`: nothing waits.
        case ok
        /// The other end has closed, and nothing is left.
        case endOfFile
        /// One encrypted message.
        case data([UInt8])

        /// The JSON text, with the spaces of version 1 servers.
        public func json() -> [UInt8] {
            switch self {
            case .created(let pipe): return Array("{\"pipe_id\": \"\(pipe)\"}".utf8)
            case .ok: return Array("{\"status\": \"ok\"}".utf8)
            case .endOfFile: return Array("{\"eof\": true}".utf8)
            case .data(let message):
                var text = Array("{\"data\": \"".utf8)
                text += BaseN.base64.encode(message)
                return text + Array("\"}".utf8)
            }
        }
    }
}
