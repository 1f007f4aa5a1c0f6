import PDDocument
import PDProtocol

/// Files that wait to be put on, or taken off, some hosts. A one-time command is a patch too: its file stands in the
/// agent's folder of commands.
public struct Order: Sendable, Equatable {
    /// One file of a patch.
    public struct File: Sendable, Equatable {
        /// Where it goes, relative to the agent's files, components parted by `/`.
        public let path: String
        /// Its permission bits; 0 takes the file away.
        public let mode: Int
        /// What it holds; empty where it is taken away.
        public let content: [UInt8]

        /// A file as it goes to a host.
        public init(path: String, mode: Int, content: [UInt8]) {
            self.path = path
            self.mode = mode
            self.content = content
        }
    }

    /// What a trusted key said about a patch: the bytes that were signed, and the signature over them. Agents of
    /// version 1 do not know it; they check the signature files that lie among ``Patch/files``.
    public struct Signed: Sendable, Equatable {
        /// The signed bytes, to be handed out as they are.
        public let statement: [UInt8]
        /// The detached OpenPGP signature over them, binary.
        public let signature: [UInt8]

        /// An order as it was signed.
        public init(statement: [UInt8], signature: [UInt8]) {
            self.statement = statement
            self.signature = signature
        }
    }

    /// 24 hexadecimal digits in lower case, as MongoDB writes its identifiers.
    public let id: String
    /// When it was added, in milliseconds since 1970-01-01 UTC.
    public let submittedAt: Int64
    /// What it puts where.
    public let files: [File]
    /// The hosts that have not acknowledged it, by name.
    public let pendingHosts: [Hostname]
    /// The hosts that have acknowledged it, in the order in which they did.
    public let completedHosts: [Hostname]
    /// What hosts said last became of it. One that acknowledged as agents of version 1 do has said nothing more.
    public let receipts: [Hostname: OrderReceipt]
    /// What was signed about it, where it is for agents that check that.
    public let signed: Signed?

    /// A patch as it is added, or as it was read from a database.
    public init(
        id: String, submittedAt: Int64, files: [File], pendingHosts: [Hostname],
        completedHosts: [Hostname] = [], receipts: [Hostname: OrderReceipt] = [:],
        signed: Signed? = nil
    ) {
        self.id = id
        self.submittedAt = submittedAt
        self.files = files
        self.pendingHosts = pendingHosts
        self.completedHosts = completedHosts
        self.receipts = receipts
        self.signed = signed
    }
}

/// The patches of a fleet: those that wait and those that are done, which are kept for the record.
///
/// Each call is atomic and durable when it returns. Two acknowledgements at once move a host once.
public protocol OrderStore: Sendable {
    /// Adds a patch.
    ///
    /// - Throws: ``StoreError/conflict(_:)`` where its id is taken, or where a patch that still waits for one of its
    ///   hosts names one of its paths.
    func add(_ patch: Order) async throws(StoreError)

    /// All patches, the newest first, without their files' content.
    func orders() async throws(StoreError) -> [Order]

    /// One patch, whole, or nothing.
    func order(_ id: String) async throws(StoreError) -> Order?

    /// The patches that wait for a host, whole, the oldest first.
    func orders(pendingFor host: Hostname) async throws(StoreError) -> [Order]

    /// Moves a host from those that wait for a patch to those that have it.
    ///
    /// - Returns: whether it was waiting. An unknown patch, or a host that does not wait for it, changes nothing.
    func acknowledgeOrder(_ id: String, by host: Hostname) async throws(StoreError) -> Bool

    /// Notes what a host that waits for an order says became of it. One that is through with it no longer waits.
    ///
    /// - Returns: whether it was waiting. An unknown order, or a host that does not wait for it, changes nothing: what was
    ///   said last stays said.
    func note(_ receipt: OrderReceipt, of id: String, from host: Hostname) async throws(StoreError) -> Bool

    /// Takes hosts off those that a patch waits for; all of them where none are named. What hosts have is kept for the
    /// record; a patch that no host had and none waits for is removed.
    ///
    /// - Returns: the hosts that no longer wait.
    func cancelOrder(_ id: String, for hosts: [Hostname]?) async throws(StoreError) -> [Hostname]
}
