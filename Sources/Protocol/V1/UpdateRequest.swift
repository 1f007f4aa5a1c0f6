extension V1 {
    /// A host asks whether anything waits for it: the `data` of an `update` request.
    public struct UpdateRequest: Sendable, Equatable {
        /// Who asks.
        public let hostname: Hostname
        /// The release that runs there; 0 where none.
        public let oldRelease: Int64

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            oldRelease = try fields.count("old_release")
        }
    }

    /// A host has put a patch in place: the `data` of an `acknowledge_patch` request.
    public struct PatchAcknowledgement: Sendable, Equatable {
        /// Who has it.
        public let hostname: Hostname
        /// The patch: 24 hexadecimal digits in lower case.
        public let id: String

        /// Reads `data`.
        ///
        /// - Throws: ``ProtocolError`` that names the field, without its content.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            id = try fields.hexadecimal("id", digits: 24)
        }
    }
}
