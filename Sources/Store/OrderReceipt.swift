/// What a host says became of an order.
///
/// All hosts of a version 1 fleet share a key, so that one may speak for another: these are claims, which a person may
/// weigh, and nothing is decided by them but what is offered again.
public struct OrderReceipt: Sendable, Equatable {
    /// How far it has come.
    public enum State: String, Sendable, CaseIterable {
        /// It was found good and is about to be carried out.
        case received
        /// Its program runs, or will be tried again.
        case running
        /// It was carried out; a program ended with 0.
        case done
        /// Its program did not end with 0, as often as it may be tried.
        case failed
        /// It was found not to be what this host obeys. It is offered again until it expires, in case that changes.
        case refused

        /// Whether nothing more comes after it: such a host no longer waits.
        public var isFinal: Bool { self == .done || self == .failed }
    }

    /// How far it has come.
    public let state: State
    /// How often its program was started.
    public let attempts: Int
    /// What the program's last run ended with; nothing where none has ended.
    public let returncode: Int?
    /// Why it was refused or could not be run, for people; at most ``reasonLimit`` characters.
    public let reason: String?
    /// When the server heard of it, in milliseconds since 1970-01-01 UTC.
    public let at: Int64

    /// The most characters of a reason that are kept.
    public static let reasonLimit = 1000

    /// A receipt. A reason that is too long is cut.
    public init(state: State, attempts: Int = 0, returncode: Int? = nil, reason: String? = nil, at: Int64) {
        self.state = state
        self.attempts = max(0, attempts)
        self.returncode = returncode
        self.reason = reason.map { String($0.unicodeScalars.prefix(Self.reasonLimit)) }
        self.at = at
    }
}
