import PDProtocol

/// Something that people, not the host, say about a host: whom to write to, which hosts belong together.
public struct HostParameter: Sendable, Equatable {
    /// The host's name.
    public let hostname: Hostname
    /// The parameter's name, for instance `user_email`.
    public let name: String
    /// Its values, at least one.
    public let values: [String]

    /// A parameter as it is set, or as it was read from a database.
    public init(hostname: Hostname, name: String, values: [String]) {
        self.hostname = hostname
        self.name = name
        self.values = values
    }
}

/// The parameters of the hosts. Each call is atomic and durable when it returns.
public protocol ParameterStore: Sendable {
    /// All parameters, by hostname and name.
    func parameters() async throws(StoreError) -> [HostParameter]

    /// Sets parameters, several together or none. One without values is unset.
    ///
    /// - Parameter at: the clock, in milliseconds since 1970-01-01 UTC.
    func setParameters(_ parameters: [HostParameter], at: Int64) async throws(StoreError)
}

/// What people do to hosts. Each call is atomic and durable when it returns.
public protocol HostAdministration: Sendable {
    /// Marks a host as suspended, or not. A submission clears the mark.
    ///
    /// - Throws: ``StoreError/unknownHost(_:)``.
    func setSuspended(_ suspended: Bool, host: HostID) async throws(StoreError)

    /// Gives a host another name: its issues, audit trail, patches and parameters go with it.
    ///
    /// - Throws: ``StoreError/unknownHost(_:)``, ``StoreError/conflict(_:)`` where the name is taken.
    func rename(host: HostID, to name: Hostname) async throws(StoreError)

    /// Removes a host with its issues, audit trail and parameters; patches no longer wait for it.
    ///
    /// - Throws: ``StoreError/unknownHost(_:)``.
    func delete(host: HostID) async throws(StoreError)
}

/// Who of several processes on one database does what only one may do.
public protocol LeaseStore: Sendable {
    /// Takes or prolongs a lease.
    ///
    /// - Parameters:
    ///   - name: what only one may do, for instance `audit`.
    ///   - holder: who asks, different in each process.
    ///   - at: the clock, in milliseconds since 1970-01-01 UTC.
    ///   - duration: for how long, in milliseconds.
    /// - Returns: whether the caller has it now. Somebody else's lease is not taken before it ends.
    func takeLease(_ name: String, holder: String, at: Int64, duration: Int64) async throws(StoreError)
        -> Bool

    /// Gives a lease back, where the caller has it.
    func releaseLease(_ name: String, holder: String) async throws(StoreError)

    /// Writes something that means nothing, and returns when it is durable.
    ///
    /// - Parameters:
    ///   - holder: who asks, different in each process.
    ///   - at: the clock, in milliseconds since 1970-01-01 UTC.
    ///   - patience: how long to wait for other processes that write, where the store can choose.
    func proveWritable(holder: String, at: Int64, patience: Duration) async throws(StoreError)
}

extension LeaseStore {
    /// By a lease of the holder's own, which waits for nobody.
    public func proveWritable(holder: String, at: Int64, patience: Duration) async throws(StoreError) {
        _ = try await takeLease("readiness-\(holder)", holder: holder, at: at, duration: 1000)
        try await releaseLease("readiness-\(holder)", holder: holder)
    }
}
