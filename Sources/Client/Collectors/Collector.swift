import PDDocument

/// Finds out one thing about the machine.
///
/// Most of a collector is a pure parser over text; what it looks at, it looks at through the ``CollectorContext``: files
/// and commands of a ``Machine``, which tests replace by recorded ones. It runs in a process apart from the agent that
/// delivers, so its crash, hang or hunger costs its own result and nothing else.
public protocol Collector: Sendable {
    /// The plugin name under which the result is reported.
    var name: String { get }

    /// The commands that it may run, by their names. Every other one is refused with ``CommandError/notAllowed(_:)``.
    var commands: Set<String> { get }

    /// Looks at the machine. Runs on a thread of its own, so it may block until the machine's deadline.
    ///
    /// What could not be found out is part of the result: `status` `unknown` with a `reason`, never a pass or a fail.
    /// The result must not change while the machine does not: no counters, no times, lists sorted.
    ///
    /// - Throws: what makes the whole result impossible; it is reported in the result's place.
    func collect(_ context: CollectorContext) throws -> Value
}

extension Collector {
    /// None.
    public var commands: Set<String> { [] }
}

/// The collectors that every agent has.
public enum BuiltInCollectors {
    /// All of them.
    public static let all: [any Collector] = [
        AgentCollector(), AntivirusCollector(), AutologinCollector(), AutomaticUpdatesCollector(),
        DMICollector(),
        DiskEncryptionCollector(), EndOfLifeCollector(), FirewallCollector(), GeolocationCollector(),
        GuestSessionCollector(), IPAddressesCollector(), KernelCollector(), ListenersCollector(),
        NetworkDevicesCollector(), OSInfoCollector(), OSUpdatesCollector(), PackagesCollector(),
        PasswordPolicyCollector(), RebootCollector(), SSHDCollector(), ScreenLockCollector(),
        SecureBootCollector(),
        SecurityProductCollector(product: .eraagent), SecurityProductCollector(product: .eset),
        SecurityProductCollector(product: .prey), TimeSyncCollector(), USBCollector(), UsersCollector(),
    ]

    /// Those that do not run until a setting says so: what they report tells something to others, is long, or is
    /// about a product that few have.
    static let offByDefault: Set = ["eraagent", "eset", "geolocation", "ip_addresses", "packages", "prey"]
}
