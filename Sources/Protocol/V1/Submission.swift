import PDDocument

extension V1 {
    /// What one host reports: the `data` of a `submit` request.
    public struct Submission: Sendable, Equatable {
        /// The longest text that says which agent made a report, in bytes.
        static let maximumAgentBytes = 200

        /// Who reports.
        public let hostname: Hostname
        /// When the host collected it, by its own clock, in milliseconds since 1970-01-01 UTC. Old peers may leave it
        /// out.
        public let collectedAt: Int64?
        /// Which agent made it: its version, for people. Peers before version 0.1 of this agent, and those of the original,
        /// leave it out.
        public let agent: String?
        /// All plugin results by plugin name; they replace what was known before. Nothing where only commands ran.
        public let plugins: Document?
        /// Results of one-time commands by name; each replaces only itself.
        public let commands: Document?

        /// A report made in this process. The names of plugins and commands must be such as ``init(json:)`` accepts.
        public init(
            hostname: Hostname, collectedAt: Int64?, agent: String? = nil, plugins: Document?,
            commands: Document?
        ) {
            self.hostname = hostname
            self.collectedAt = collectedAt
            self.agent = agent
            self.plugins = plugins
            self.commands = commands
        }

        /// Reads `data`. Fields that this version does not know are left alone.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let document: Document
            do {
                document = try Document(json: json, timestamps: .atSuffix)
            } catch {
                throw .malformedJSON(error)
            }
            guard let name = document["hostname"] else { throw .missingField("hostname") }
            guard let text = name.string else { throw .badField("hostname", reason: "is not text") }
            guard let hostname = Hostname(text) else {
                throw .badField("hostname", reason: "is not a host name")
            }
            self.hostname = hostname

            switch document["collected_at"] {
            case .none, .some(.null): collectedAt = nil
            case .some(.date(let milliseconds)): collectedAt = milliseconds
            case .some: throw .badField("collected_at", reason: "is not a timestamp")
            }
            switch document["agent"] {
            case .none, .some(.null): agent = nil
            case .some(let value):
                guard let text = value.string, text.utf8.count <= Self.maximumAgentBytes else {
                    throw .badField("agent", reason: "is not a short text")
                }
                agent = text
            }
            plugins = try Self.results("plugins", in: document)
            commands = try Self.results("commands", in: document)
            guard plugins != nil || commands != nil else {
                throw .badField("data", reason: "has neither plugins nor commands")
            }
        }

        /// The `data` of a `submit` request, to be signed and sent as these very bytes.
        public func json() -> [UInt8] {
            var writer = DocumentWriter()
            writer.append("hostname", .string(hostname.name))
            if let collectedAt { writer.append("collected_at", .date(milliseconds: collectedAt)) }
            if let agent { writer.append("agent", .string(agent)) }
            if let plugins { writer.append("plugins", .document(plugins)) }
            if let commands { writer.append("commands", .document(commands)) }
            return Array(writer.finish().json().utf8)
        }

        private static func results(_ field: String, in document: Document) throws(ProtocolError) -> Document?
        {
            switch document[field] {
            case .none, .some(.null): return nil
            case .some(.document(let results)):
                for (name, _) in results {
                    guard isResultName(name) else {
                        throw .badField(
                            field,
                            reason:
                                "has a name that is empty, too long, or has '.', '$' or control characters")
                    }
                }
                return results
            case .some: throw .badField(field, reason: "is not an object")
            }
        }

        /// Whether a plugin or command may have that name. The name becomes a step of a dotted path in queries and in
        /// the audit trail, so it holds neither dots nor a leading dollar sign, and is safe to print.
        static func isResultName(_ name: String) -> Bool {
            (1...255).contains(name.utf8.count) && !name.hasPrefix("$")
                && name.unicodeScalars.allSatisfy { scalar in
                    scalar != "." && scalar.properties.generalCategory != .control
                        && scalar.properties.generalCategory != .format
                }
        }
    }
}
